"""Exports of Stratagene (Agilent) Mx3000P and Mx3005P."""
