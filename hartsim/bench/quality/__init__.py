"""How good the pictures of a model are, measured on pictures that it never saw.

One module for each question, values in and `Findings` out; `materials` draws the pictures and
keeps the judges that they share, `report` puts it all together. `docs/quality.md` says what the
figures mean and what they do not.
"""
