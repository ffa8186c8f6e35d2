"""Exports of Roche LightCycler 480 and 96."""
