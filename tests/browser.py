"""A real browser for the pages that are made: headless Chromium, driven by Selenium."""

import json
import os
import shutil
import time

import pytest

# Of a screen that any laboratory has.
SIZE = (1400, 1000)
_REQUIRED = "GAZETRACK_REQUIRE_BROWSER"
_WAIT_S = 300  # a condition that holds is seen at once


def start():
    """Start Chromium; where there is none, the test skips, or fails where it has to run."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        absent = "pages are tested in Chromium: apt-get install chromium chromium-driver"
        if os.environ.get(_REQUIRED) == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    switches = [
        "--headless=new",
        "--no-sandbox",  # in a container root has no other way
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        f"--window-size={SIZE[0]},{SIZE[1]}",
    ]
    for switch in switches:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def wait_for(driver, script):
    """Wait until a script gives something, and return it."""
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        found = driver.execute_script(script)
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"never came true: {script}")


def opened(driver, page):
    """Open a page, and wait until its first scanpath is drawn."""
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(page.as_uri())
    wait_for(driver, "return document.getElementById('viewer').dataset.ready")
    return driver


def complaints(driver):
    """What the console says: errors of scripts, and what the policy of the page has refused."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver):
    """Addresses that were asked for, but for what lies in the page itself."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in urls if not url.startswith("data:")]


def violations(driver):
    """What axe-core finds wrong with a page, in one line each."""
    from pathlib import Path

    import axe_core_python

    source = Path(axe_core_python.__file__).with_name("axe.min.js").read_text("utf-8")
    driver.execute_script(source)
    found = driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations));"
    )
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
