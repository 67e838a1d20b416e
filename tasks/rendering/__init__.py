"""A report as people read it: pictures, markdown, an HTML page. Pure functions of the report."""
