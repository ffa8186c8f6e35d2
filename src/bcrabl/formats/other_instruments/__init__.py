"""Exports of instruments of one format each: Mic, Rotor-Gene, Biomeme, SmartCycler, Chai."""
