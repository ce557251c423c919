"""State of the areas that grew beyond ``world.py`` (state room): plain structs, one module per area, no behaviour."""
