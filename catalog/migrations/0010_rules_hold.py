from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Of the rows that are there already. It reads them all, and nobody waits for it."""

    dependencies = [
        ('catalog', '0009_shorter_rules'),
    ]

    operations = [
        ValidateConstraint(model_name='stockmovement', name='movement_changes_fit_kind'),
        ValidateConstraint(model_name='stockmovement', name='movement_changes_are_one'),
    ]
