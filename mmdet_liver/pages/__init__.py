"""Pages that hold their pictures and ask nobody for anything: what all of them look like.

rendering (a template and its values -> text); base.html (head, colours, tables). A page
itself lies with what it shows, as `template.html`, and extends `base.html`.
"""
