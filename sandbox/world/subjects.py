"""What the contents are about."""

from typing import NamedTuple


class Subject(NamedTuple):
    """A field of learning: domain and subdomain by id and name, and its skills."""

    domain_id: str
    domain: str
    subdomain_id: str
    subdomain: str
    skills: tuple[str, ...]


SUBJECTS = (
    Subject(
        "data-science",
        "Data Science",
        "machine-learning",
        "Machine Learning",
        ("Machine Learning", "Python Programming", "Neural Networks"),
    ),
    Subject(
        "data-science",
        "Data Science",
        "data-analysis",
        "Data Analysis",
        ("Data Visualization", "SQL", "Statistics"),
    ),
    Subject(
        "computer-science",
        "Computer Science",
        "software-development",
        "Software Development",
        ("Python Programming", "Algorithms", "Software Testing"),
    ),
    Subject(
        "information-technology",
        "Information Technology",
        "cloud-computing",
        "Cloud Computing",
        ("Cloud Computing", "Kubernetes", "Infrastructure as Code"),
    ),
    Subject(
        "information-technology",
        "Information Technology",
        "security",
        "Security",
        ("Cybersecurity", "Cryptography", "Incident Response"),
    ),
    Subject(
        "business",
        "Business",
        "leadership-and-management",
        "Leadership and Management",
        ("Leadership", "People Management", "Coaching"),
    ),
    Subject(
        "business",
        "Business",
        "business-strategy",
        "Business Strategy",
        ("Project Management", "Agile", "Strategy"),
    ),
    Subject(
        "business",
        "Business",
        "marketing",
        "Marketing",
        ("Digital Marketing", "Search Engine Optimization", "Branding"),
    ),
    Subject("business", "Business", "finance", "Finance", ("Accounting", "Corporate Finance", "Investment")),
    Subject(
        "health", "Health", "public-health", "Public Health", ("Epidemiology", "Public Health", "Nutrition")
    ),
    Subject(
        "personal-development",
        "Personal Development",
        "personal-development",
        "Personal Development",
        ("Communication", "Negotiation", "Public Speaking"),
    ),
    Subject(
        "arts-and-humanities",
        "Arts and Humanities",
        "design",
        "Design",
        ("User Experience", "Graphic Design", "Prototyping"),
    ),
)

DESCRIPTIONS = (
    "Build a working command of {topic} through short lectures, labs and a project to show to your team.",
    "A step-by-step path into {topic}: what it is for and where it fails.\n\nNo prior experience is needed.",
    "Learn {topic} from people who do it for a living. Each week ends with a case drawn from a real company.",
    "The vocabulary, the tools and the judgement behind {topic}. Expect about three hours a week.",
)
