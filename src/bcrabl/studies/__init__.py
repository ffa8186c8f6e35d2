"""Detection studies: the tables of their runs → limits of blank, detection and quantification, one file set a study.

A room beside the stages of a batch, so that a change here computes studies anew and no batch.
"""
