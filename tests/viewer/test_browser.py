"""The page in a real browser: what it shows, by mouse and by keys, and that it asks nobody else."""

from __future__ import annotations

import pytest

from tests import browser
from tests.viewer.conftest import STRANGE


@pytest.fixture(scope="module")
def page(viewer):
    driver = browser.start()
    driver.get(viewer.url)
    ready(driver, 0)
    yield driver
    driver.quit()


def ready(driver, number):
    browser.wait_for(driver, f"return document.documentElement.dataset.ready === '{number}'")


def drawn(driver, layer):
    """Wait until a layer is loaded, and return its address."""
    script = (
        f"const one = document.getElementById('{layer}');"
        "return !one.hidden && one.complete && one.naturalWidth > 0 && one.dataset.drawn"
    )
    return browser.wait_for(driver, script)


def press(driver, key):
    from selenium.webdriver.common.by import By

    driver.find_element(By.TAG_NAME, "body").send_keys(key)


def text(driver, name):
    return driver.execute_script(f"return document.getElementById('{name}').textContent")


def unexpected(driver):
    """What the console says, but for the answers about the damaged image, which are errors.

    They may come late: after the page shows the next image.
    """
    return [line for line in browser.complaints(driver) if "422" not in line]


def test_an_image_with_its_gaze_its_level_and_its_prediction(page, viewer):
    assert page.current_url == f"http://127.0.0.1:{viewer.port}/"  # the secret is gone
    assert text(page, "name") == "im0"
    assert text(page, "count") == "6 of 6 images"
    assert drawn(page, "level") == "/pictures/0/level-3.png"
    assert drawn(page, "mask") == "/pictures/0/mask.png"
    assert text(page, "level-title") == "3 of 3: all"
    circles = "return document.querySelectorAll('#fixations circle').length"
    assert page.execute_script(circles) == 22
    page.execute_script(
        "const one = document.getElementById('track'); one.value = '1';"
        "one.dispatchEvent(new Event('change'))"
    )
    assert page.execute_script(circles) == 11
    said = text(page, "said")
    seen = viewer.content.seen(0)
    assert f"{100 * seen['share']:.1f} % of the image" in said
    assert f"{seen['uncertainty']:.3f}" in said


def test_a_fixation_lies_where_it_was(page):
    page.execute_script(
        "const one = document.getElementById('track'); one.value = '';"
        "one.dispatchEvent(new Event('change'))"
    )
    # The first fixation of all is in the corner: at (2, 2) of 80 x 64 pixels.
    place = page.execute_script(
        "const image = document.getElementById('image').getBoundingClientRect();"
        "const dot = document.querySelector('#fixations circle').getBoundingClientRect();"
        "return [(dot.left + dot.width / 2 - image.left) / image.width * 80,"
        "        (dot.top + dot.height / 2 - image.top) / image.height * 64]"
    )
    assert place == pytest.approx([2, 2], abs=0.4)


def test_the_keys(page):
    press(page, "[")
    assert drawn(page, "level") == "/pictures/0/level-2.png"
    assert text(page, "level-title").startswith("2 of 3: last")
    press(page, "g")
    assert page.execute_script("return document.getElementById('level').hidden")
    press(page, "g")
    for key, layer in (("p", "probability"), ("u", "uncertainty"), ("r", "reference")):
        assert page.execute_script(f"return document.getElementById('{layer}').hidden")
        press(page, key)
        assert drawn(page, layer) == f"/pictures/0/{layer}.png"
    from selenium.webdriver.common.keys import Keys

    press(page, Keys.ARROW_RIGHT)
    ready(page, 1)
    assert text(page, "name") == "im1"
    # The level and the layers stay chosen.
    assert drawn(page, "level") == "/pictures/1/level-2.png"
    assert drawn(page, "uncertainty") == "/pictures/1/uncertainty.png"
    press(page, Keys.ARROW_LEFT)
    ready(page, 0)


def test_names_are_text_and_images_without_gaze_are_shown(page):
    page.execute_script(
        "const one = document.getElementById('search'); one.value = '5&';"
        "one.dispatchEvent(new Event('input'))"
    )
    assert text(page, "count") == "1 of 6 images"
    page.execute_script("document.querySelector('#images button').click()")
    ready(page, 4)
    assert text(page, "name") == STRANGE
    assert page.execute_script("return document.getElementById('gaze-controls').hidden")
    assert page.execute_script("return document.getElementById('reference-controls').hidden")
    assert drawn(page, "mask") == "/pictures/4/mask.png"


def test_a_damaged_image_is_told(page):
    page.execute_script(
        "const one = document.getElementById('search'); one.value = '';"
        "one.dispatchEvent(new Event('input'));"
        "[...document.querySelectorAll('#images button')].at(-1).click()"
    )
    browser.wait_for(page, "return !document.getElementById('trouble').hidden")
    assert "zz.png: cannot be read as an image" in text(page, "trouble")
    # The browser says that two answers were errors, which is what they are; and nothing else.
    assert unexpected(page) == []


def test_everybody_can_use_it_in_light_and_in_dark(page):
    page.execute_script("document.querySelector('#images button').click()")
    ready(page, 0)
    for _ in range(2):
        assert browser.violations(page) == []
        page.execute_script("document.getElementById('theme').click()")
    assert unexpected(page) == []


def test_it_asks_this_machine_alone(page, viewer):
    asked = browser.requests(page)
    assert len(asked) > 10
    assert all(url.startswith(f"http://127.0.0.1:{viewer.port}/") for url in asked)
