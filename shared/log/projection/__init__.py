"""Projections: tables that follow from the log and are kept up with it, by one mechanism (decision 0048).

New is what an earlier snapshot did not see. That says which lives were touched; each of them is folded as it
stands now, and its rows are put right. So a step may be done twice, in any order and from any position. No fact moves a
row: a row is what the whole life says. Position and rows are written in one transaction.

`position` says what is new, `lives` reads whole lives, `putting` puts rows right, `projector` keeps a projection up.
"""
