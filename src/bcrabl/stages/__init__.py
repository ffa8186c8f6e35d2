"""The way of one batch, one module per arrow: read → fit → calibrate → quantify → score → accept.

Here files, tables and mathematics meet; each stage takes tables and gives a table.
"""
