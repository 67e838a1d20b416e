"""Invented people and institutions."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN_NAMES = _words(
    "Adèle Aiko Alejandra Amara Amina Anders Anika Antoine Arjun Astrid Ayse Bastien Beatriz Bruno Carlos "
    "Chiara Chloé Daniel Davi Dmitri Elena Elif Emeka Emil Esther Fatima Felix Gabriela Giulia Hana "
    "Hannah Hiroshi Hugo Ines Isabella Ivan Jakub Jing Joana Jonas Julien Kavya Kenji Kofi Lars Laura "
    "Leila Lina Louis Lucía Magnus Maja Manon Marco Mariam Mateo Mei Mehdi Milan Min-jun Nadia Naomi "
    "Nikhil Noah Noor Olga Oscar Paula Pedro Priya Rafael Rania Ravi Rosa Sakura Samuel Sara Seo-yeon "
    "Sofia Stefan Tariq Théo Thiago Tomás Valentina Viktor Wei Yara Yusuf Zoé"
)

FAMILY_NAMES = _words(
    "Abadi Adeyemi Almeida Andersson Bauer Benali Bernard Bianchi Blanc Carvalho Castro Chen Cohen Costa "
    "Dubois Dupont Eriksson Fernández Ferrari Fischer Fontaine Garcia Gauthier Gomes Gupta Haddad Hansen "
    "Hoffmann Ito Ivanova Jansen Jensen Kaya Keller Khan Kim Kimura Kowalski Lambert Laurent Lefèvre Li "
    "López Martin Mensah Meyer Moreau Moretti Nakamura Ndiaye Nguyen Novák Okafor Oliveira Park Patel "
    "Petit Petrov Popescu Ramos Reddy Ribeiro Ricci Rossi Roux Sato Schmidt Schneider Sharma Silva Singh "
    "Suzuki Tanaka Torres Vargas Vasquez Wagner Wang Weber Yamamoto Yilmaz Zhang Zimmermann"
)

#: Institutions that publish contents: name and the slug of their logo.
PARTNERS = (
    ("Aldermoor University", "aldermoor"),
    ("Institut Polytechnique de Valmont", "valmont"),
    ("Universidad del Mar Azul", "mar-azul"),
    ("Technische Hochschule Eichenfeld", "eichenfeld"),
    ("Universidade Serra Clara", "serra-clara"),
    ("Hanseong Institute of Technology", "hanseong"),
    ("Aokigawa University", "aokigawa"),
    ("Northlake Business School", "northlake"),
    ("Cirrusworks Cloud", "cirrusworks"),
    ("Brightgrid Analytics", "brightgrid"),
    ("Dar al-Hikma College", "dar-al-hikma"),
    ("Saraswati Institute of Management", "saraswati"),
    ("École des Hauts Ponts", "hauts-ponts"),
    ("Copperfield Security Labs", "copperfield"),
)

INSTRUCTOR_TITLES = (
    "Professor",
    "Associate Professor",
    "Senior Lecturer",
    "Lead Instructor",
    "Principal Scientist",
)

#: Mail domains of the learners' company and its subsidiaries; reserved names that lead nowhere.
MAIL_DOMAINS = ("example.com", "emea.example.com", "apac.example.com", "example.org")
