from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget

from catalog.importing.limits import MAX_BYTES, MAX_ROWS
from ecommerce.forms import StaffForm


class UploadForm(StaffForm):
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        max_length=255,
        help_text=f"CSV or XLSX, at most {MAX_BYTES // 1024**2} MB and {MAX_ROWS:,} rows. Nothing changes yet.",
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES // 1024**2} MB. Split it.")
        return file
