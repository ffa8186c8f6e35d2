"""Exports of Applied Biosystems instruments: QuantStudio, ViiA 7, StepOne, 7500, 7900HT."""
