"""The process that owns models and renderer, and what keeps it: it may die, its visitors may not.

`supervised.Supervised` runs the work in a process of its own, `in_process.InProcess` in this one
(where a GPU is lent by the call, and for tests). Both can be given to a `l2t.service.Service`.
"""
