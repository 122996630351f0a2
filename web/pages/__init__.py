"""The pages, rendered on the server: a module or a folder for each.

The templates of a page are in `web/templates/` under the same path: `review/page.py` renders `review/page.html`. Its
script is in `web/static/` (`review.js`); scripts only refresh pages, which all work without JavaScript.
"""
