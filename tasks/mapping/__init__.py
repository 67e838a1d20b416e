"""From Coursera's rows to 360Learning's: pure pandas, no Prefect, no network."""
