"""The generated pages of docs/reference, one module each; every one is a function from the code to Markdown."""
