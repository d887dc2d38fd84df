from unfold.sites import UnfoldAdminSite


class BackOffice(UnfoldAdminSite):
    """The admin site; `UNFOLD` in `ecommerce.appearance` is its look."""

    site_header = site_title = "Back office"
    index_title = "The shop"
