"""The queries behind definitions.py, by what they are about; definition_queries.py puts them in order."""
