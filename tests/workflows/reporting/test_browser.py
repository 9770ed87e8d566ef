"""The report in a real browser, as a person has it: with a mouse, with keys alone, in the dark."""

import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.browser import complaints, opened, requests, violations, wait_for


@pytest.fixture
def report(browser, page):
    return opened(browser, page)


def names(driver):
    """The recordings that are shown in the table, in its order."""
    rows = driver.find_elements(By.CSS_SELECTOR, "#overview tbody tr")
    return [row.find_element(By.TAG_NAME, "a").text for row in rows if row.is_displayed()]


def text(driver, name):
    return driver.find_element(By.ID, name).text


def picture(driver):
    return driver.execute_script("return document.getElementById('canvas').toDataURL()")


def move_to(driver, value):
    driver.execute_script(
        "const slider = document.getElementById('slider'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input'));",
        value,
    )


def test_it_loads_without_a_complaint_and_asks_for_nothing(report, page):
    assert complaints(report) == []
    assert requests(report) == [page.as_uri()]


def test_its_policy_lets_no_other_script_run_and_nothing_be_fetched(report):
    report.execute_script(
        "const own = document.createElement('script'); own.textContent = 'window.ran = 1';"
        "document.body.append(own);"
        "const image = new Image(); image.src = 'https://example.org/x.png';"
        "document.body.append(image);"
    )
    assert report.execute_script("return window.ran") is None
    wait_for(report, "return document.images[document.images.length - 1].complete")
    awaited, refused = ["script", "example.org"], []
    end = time.monotonic() + 300
    while awaited:  # lines of the console come when they come
        assert time.monotonic() < end, f"{awaited} not among {refused}"
        refused += [one for one in complaints(report) if "Content Security Policy" in one]
        awaited = [word for word in awaited if not any(word in one for one in refused)]


def test_the_slider_moves_the_gaze(report):
    whole = picture(report)
    move_to(report, 500)
    early, early_picture = text(report, "now-gaze"), picture(report)
    move_to(report, 2500)
    assert early.endswith("px")
    assert text(report, "now-gaze") != early
    assert len({whole, early_picture, picture(report)}) == 3
    assert text(report, "now-time").startswith("2.50 of")


def test_the_gaze_is_where_the_export_says(report, study):
    import numpy as np

    import gazetrack

    samples = gazetrack.read(study.exports[0]).samples
    first = samples[samples["trial"] == samples["trial"].iloc[0]]
    t = first["t_ms"] - first["t_ms"].iloc[0]
    for at in (700, 1900, 3100):
        move_to(report, at)
        at = float(report.execute_script("return document.getElementById('slider').value"))
        meant = first[(t >= at // 20 * 20) & first["x_px"].notna()].iloc[0]
        found = np.array(text(report, "now-gaze").removesuffix(" px").split(", "), float)
        assert found == pytest.approx([meant["x_px"], meant["y_px"]], abs=1.1)


def test_play_goes_on_by_itself_and_pause_stops_it(report):
    move_to(report, 0)
    Select(report.find_element(By.ID, "speed")).select_by_value("2")
    play = report.find_element(By.ID, "play")
    play.click()
    wait_for(report, "return Number(document.getElementById('slider').value) > 200")
    assert play.text == "Pause"
    play.click()
    stopped = text(report, "now-time")
    time.sleep(0.1)
    assert text(report, "now-time") == stopped
    assert play.text == "Play"


def test_what_is_not_to_be_shown_is_not_drawn(report):
    whole = picture(report)
    for name in ("image", "gaze", "fixations"):
        report.find_element(By.ID, f"show-{name}").click()
        assert picture(report) != whole
        whole = picture(report)
    blank = "const c = document.createElement('canvas'); c.width = canvas.width;"
    blank += "c.height = canvas.height; return c.toDataURL()"
    assert whole == report.execute_script(blank)


def test_the_map_is_drawn_over_the_image(report):
    plain = picture(report)
    choice = Select(report.find_element(By.ID, "show-map"))
    assert len(choice.options) > 1
    choice.select_by_index(len(choice.options) - 1)
    wait_for(report, f"return document.getElementById('canvas').toDataURL() !== '{plain}'")


def test_the_filters_filter(report):
    everything = names(report)
    assert everything == ["reader-01", "reader-02", "reader-03.asc"]
    report.find_element(By.ID, "filter-text").send_keys("READER-02")
    assert names(report) == ["reader-02"]
    assert text(report, "count") == "1 of 3"
    report.find_element(By.ID, "filter-text").send_keys("nobody")
    assert names(report) == []
    assert report.find_element(By.ID, "none").is_displayed()
    report.execute_script("document.getElementById('filter-text').value = ''")
    Select(report.find_element(By.ID, "filter-status")).select_by_value("not read")
    assert names(report) == ["reader-03.asc"]


def test_sorting_sorts_and_what_is_not_known_stays_at_the_end(report):
    heads = report.find_elements(By.CSS_SELECTOR, "#overview thead th")
    (lost,) = [head for head in heads if head.text.startswith("Lost")]
    column = heads.index(lost)

    def column_text():
        rows = report.find_elements(By.CSS_SELECTOR, "#overview tbody tr")
        return [row.find_elements(By.CSS_SELECTOR, "td, th")[column].text for row in rows]

    lost.find_element(By.TAG_NAME, "button").click()
    up = column_text()
    assert lost.get_attribute("aria-sort") == "ascending"
    lost.find_element(By.TAG_NAME, "button").click()
    down = column_text()
    assert lost.get_attribute("aria-sort") == "descending"
    assert up[-1] == down[-1] == "–"
    assert float(up[0]) < float(up[1])
    assert up[:2] == down[:2][::-1]


def test_a_recording_that_is_chosen_is_shown_and_its_trials_can_be_replayed(report):
    report.find_element(By.LINK_TEXT, "reader-02").click()
    wait_for(report, "return document.getElementById('viewer').dataset.ready.startsWith('r1')")
    article = report.find_element(By.CSS_SELECTOR, ".recording.chosen")
    assert article.find_element(By.TAG_NAME, "h2").text == "reader-02"
    rows = article.find_elements(By.CSS_SELECTOR, ".trials tbody tr")
    assert len(rows) == 2
    rows[1].find_element(By.TAG_NAME, "button").click()
    wait_for(report, "return document.getElementById('viewer').dataset.ready === 'r1:1'")
    assert "lesion-002.png" in text(report, "viewer-title")
    # Of the second image there is no file.
    assert not report.find_element(By.ID, "show-image").is_enabled()


def test_keys_alone_reach_everything_that_can_be_done(report):
    report.execute_script(
        "document.body.tabIndex = -1; document.body.focus(); window.reached = new Set();"
        "document.addEventListener('focusin', (event) => window.reached.add(event.target));"
    )
    missed = (
        "const all = document.querySelectorAll("
        "'a[href], button, input, select, summary, [tabindex=\"0\"]');"
        "return [...all].filter((one) => one.checkVisibility() && !one.disabled"
        " && !window.reached.has(one)).map((one) => one.outerHTML.slice(0, 80))"
    )
    n = len(report.execute_script(missed))
    assert n > 20
    for _ in range(n + 5):
        ActionChains(report).send_keys(Keys.TAB).perform()
    assert report.execute_script(missed) == []


def test_keys_alone_choose_play_and_move(report):
    link = report.find_element(By.LINK_TEXT, "reader-02")
    link.send_keys(Keys.ENTER)
    wait_for(report, "return document.getElementById('viewer').dataset.ready.startsWith('r1')")
    assert report.execute_script("return document.activeElement.textContent") == "reader-02"
    slider = report.find_element(By.ID, "slider")
    slider.send_keys(Keys.HOME)
    assert text(report, "now-time").startswith("0.00 of")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert not text(report, "now-time").startswith("0.00 of")
    assert slider.get_attribute("aria-valuetext") == text(report, "now-time")
    report.find_element(By.ID, "play").send_keys(Keys.SPACE)
    assert text(report, "play") == "Pause"


def test_the_button_turns_the_page_dark_and_light(report):
    def ground():
        return report.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = ground()
    report.find_element(By.ID, "theme").click()
    dark = ground()
    assert light != dark
    assert report.find_element(By.ID, "theme").get_attribute("aria-pressed") == "true"
    report.find_element(By.ID, "theme").click()
    assert ground() == light


def test_who_prefers_the_dark_has_it_from_the_start(browser, page):
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    opened(browser, page)
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert ground == "rgb(20, 24, 29)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong(report, theme):
    report.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    for box in report.find_elements(By.CSS_SELECTOR, "details"):
        report.execute_script("arguments[0].open = true", box)
    assert violations(report) == []


@pytest.mark.parametrize("wide", [320, 400])
def test_axe_finds_nothing_wrong_in_a_narrow_window(browser, page, wide):
    width = {"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", width)
    opened(browser, page)
    found = violations(browser)
    reach = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert found == []
    assert reach <= wide, "the page itself scrolls sideways"


def test_on_paper_there_are_tables_and_no_buttons(report):
    report.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    buttons = report.find_elements(By.CSS_SELECTOR, "header button, .controls")
    shown = [one.is_displayed() for one in buttons]
    heads = report.find_elements(By.CSS_SELECTOR, "#overview thead th, .chosen .trials thead th")
    heads_shown = [one.text for one in heads]
    ground = report.execute_script("return getComputedStyle(document.body).backgroundColor")
    report.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [False] * len(shown)
    assert "Recording" in heads_shown
    assert "Stimulus" in heads_shown
    assert ground == "rgb(255, 255, 255)"


def test_hostile_names_stay_text(browser, hostile_page):
    opened(browser, hostile_page)
    for link in browser.find_elements(By.CSS_SELECTOR, "#overview a"):
        browser.execute_script("arguments[0].click()", link)
        time.sleep(0.1)
        for box in browser.find_elements(By.CSS_SELECTOR, "details"):
            browser.execute_script("arguments[0].open = true", box)
    assert browser.execute_script("return window.hit") is None
    assert complaints(browser) == []
    shown = browser.execute_script("return document.body.textContent")
    assert "<img src=x onerror=window.hit=1>" in shown
    assert "<script>window.hit=1</script>" in shown
    assert "\u202e" not in browser.execute_script("return document.body.innerText")
    made = browser.execute_script("return [document.scripts.length, document.images.length]")
    # Data of the pictures and of two recordings, and the script of the page.
    assert made == [4, 0]
    assert browser.title == "</title><script>window.hit=1</script>"
    trial = browser.execute_script(
        "return [...document.querySelectorAll('.trials tbody')].map((one) => one.textContent)"
    )
    assert any("\\u202e" in one for one in trial), "the mark is to be seen"
