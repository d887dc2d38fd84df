from typing import Any

from django import forms
from unfold.widgets import (
    CHECKBOX_CLASSES,
    FILE_CLASSES,
    INPUT_CLASSES,
    SELECT_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminRadioSelectWidget,
)

CLASSES_OF: dict[type[forms.Widget], list[str]] = {
    forms.HiddenInput: [],
    forms.CheckboxInput: CHECKBOX_CLASSES,
    UnfoldAdminRadioSelectWidget: [],  # is dressed
    forms.Select: SELECT_CLASSES,
    forms.FileInput: FILE_CLASSES,
    forms.Textarea: TEXTAREA_CLASSES,
    forms.Widget: INPUT_CLASSES,
}


class StaffForm(forms.Form):
    """A form on a page of the back office's own, in the same dress as Unfold's. `admin/form_rows.html` shows it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            classes = next(classes for kind, classes in CLASSES_OF.items() if isinstance(field.widget, kind))
            field.widget.attrs["class"] = " ".join([*classes, field.widget.attrs.get("class", "")]).strip()
