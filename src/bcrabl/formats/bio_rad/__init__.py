"""Exports of Bio-Rad CFX."""
