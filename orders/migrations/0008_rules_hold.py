from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Of the rows that are there already. It reads them all, and nobody waits for it."""

    dependencies = [
        ('orders', '0007_shorter_rules'),
    ]

    operations = [
        ValidateConstraint(model_name='orderevent', name='event_is_a_legal_move'),
    ]
