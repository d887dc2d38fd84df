"""What every page of the back office shares, and the pages of who may enter: people, roles and API clients."""

from ecommerce.admin.base import (
    REFUSALS,
    DeletedAlone,
    HiddenAdmin,
    NamesWho,
    ReadOnly,
    ShopAdmin,
    ShopList,
    sentence,
    staff_name,
)
from ecommerce.admin.people import RoleAdmin, StaffAdmin

__all__ = [
    "REFUSALS",
    "DeletedAlone",
    "HiddenAdmin",
    "NamesWho",
    "ReadOnly",
    "RoleAdmin",
    "ShopAdmin",
    "ShopList",
    "StaffAdmin",
    "sentence",
    "staff_name",
]
