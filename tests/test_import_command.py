import pytest
from django.core.management import CommandError, call_command

from catalog.models import Product, ProductImport
from tests.factories import ProductFactory
from tests.imports import SHOPIFY, workbook

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(tmp_path, capsys):
    def import_products(data: str | bytes, *options: str) -> list[str]:
        path = tmp_path / "products.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        call_command("import_products", str(path), *options)
        return capsys.readouterr().out.splitlines()

    return import_products


def test_knows_the_format_from_the_header_and_says_what_it_did(run):
    told = run(SHOPIFY)

    assert told[0].startswith("Format: Shopify products; Encoding: UTF-8; Delimiter: comma; Decimal mark: point")
    assert told[1:] == [
        "refused 0, created 3, updated 0, counted 0, unchanged 0",
        f"Imported: 3 products. Import {ProductImport.objects.get().pk} in the back office takes it back.",
    ]


def test_the_same_file_again_has_nothing_to_do(run):
    run(SHOPIFY)

    assert run(SHOPIFY)[-1] == "Nothing to do: the shop is as the file says."
    assert ProductImport.objects.count() == 1


def test_a_dry_run_changes_nothing(run):
    assert run(workbook(["sku", "name", "price"], ["A", "Lamp", 10]), "--dry-run")[-2:] == [
        "refused 0, created 1, updated 0, counted 0, unchanged 0",
        "This was a dry run: nothing was changed.",
    ]
    assert not Product.objects.exists()
    assert not ProductImport.objects.exists()


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_refusal_names_the_lines(run, capsys, options):
    ProductFactory(sku="A")

    with pytest.raises(CommandError, match=r"Nothing was imported: 2 rows have errors\.") as refusal:
        run("sku,price\nA,3\nB,1\nC,x\n", *options)

    assert refusal.value.returncode == 1
    assert capsys.readouterr().err.splitlines() == [
        "Line 3: the shop has no such product, and a new one needs a name",
        "Line 4: price: write a number such as 19.99",
    ]
    assert (Product.objects.get().version, ProductImport.objects.exists()) == (1, False)


def test_good_rows_only(run):
    ProductFactory(sku="A")

    assert run("sku,price\nA,3\nB,1\n", "--good-rows-only")[-1].startswith("Imported: 1 products.")


@pytest.mark.parametrize(("data", "reason"), [(b"", "The file is empty."), (b"\x00\x01\x02", "This is neither")])
def test_says_why_a_file_cannot_be_read(run, data, reason):
    with pytest.raises(CommandError, match=reason):
        run(data)


def test_says_that_there_is_no_file():
    with pytest.raises(CommandError, match="nowhere.csv cannot be read: No such file or directory"):
        call_command("import_products", "nowhere.csv")
