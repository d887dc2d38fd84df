from django.urls.converters import UUIDConverter


class IdConverter(UUIDConverter):
    """A uuid in capitals is the same one (RFC 9562), which Django's own does not find."""

    regex = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
