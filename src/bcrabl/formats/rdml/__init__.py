"""RDML, the exchange format of qPCR: reading and writing."""
