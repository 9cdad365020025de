"""What each database has built in and only computes, as its documentation lists it: tables, a module for each product.

``NAMES`` are functions, ``TYPES`` the types after which a parenthesis holds a length or a type; all lower case. Left
out on purpose, though they only read: what reads a table or a file by a name in a text (``glob``, ``dictGet``,
``result_scan``), and what reads XML with entities (``xmltype``). A name stands in a table only if it is harmless in
every product that has it built in.
"""
