"""Tables of curves that no instrument wrote: RDES, our own curves table, tables with a column map."""
