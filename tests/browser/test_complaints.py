"""What the browser complains of fails a test, whichever of its tabs it comes from."""

from playwright.sync_api import Page


def test_every_tab_is_heard(page: Page, complaints: list[str]):
    for tab in (page, page.context.new_page()):
        tab.evaluate("console.error('refused')")
        tab.evaluate("setTimeout(() => { throw new Error('failed') })")
        tab.wait_for_timeout(100)

    heard = sorted(complaint.split(": ", 1)[1] for complaint in complaints)
    complaints.clear()
    assert heard == ["failed", "failed", "refused", "refused"]
