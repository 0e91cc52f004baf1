"""What people see is what programs read, and everybody can get at it."""
import html
import json
import pathlib
import re
import subprocess

import pytest

import harness
import node

ARTICLE = pathlib.Path(__file__).parent.parent.parent / "docs/examples/article.json"
POLLS = ["us-goals-russia", "kyrgyzstan-russia"]
# Of a page that is a frame's, or a site's, these say nothing about the poll.
NOT_OURS = {"page-has-heading-one", "landmark-one-main", "region"}


@pytest.fixture
def article(daemon, site):
    for poll in json.loads(ARTICLE.read_text(encoding="utf-8"))["polls"]:
        assert daemon.admin("PUT", f"/v1/polls/{poll['id']}", poll).status == 201


@pytest.fixture(scope="session")
def axe():
    return (node.modules() / "axe-core/axe.min.js").read_text(encoding="utf-8")


def violations(browser, axe, path):
    browser.run(axe)
    result = browser.driver.execute_async_script("axe.run().then(arguments[0])")
    assert len(result["passes"]) > 10, path
    return [(path, v["id"], node["target"], node.get("failureSummary"))
            for v in result["violations"] for node in v["nodes"]
            if not ("/embed/" in path and v["id"] in NOT_OURS)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(daemon, article, site, browser, axe, scheme):
    daemon.poll("several", title="Several", max_choices=2, carried=[3, 3, 1, 0], carried_voters=4,
                closes_at="2035-11-23T08:40:12Z", revote=True)
    daemon.poll("secret", results="after_vote")
    daemon.poll("over", carried=[5, 5, 5, 1])
    daemon.admin("PATCH", "/v1/polls/over", {"state": "closed"})
    browser.look(scheme)
    found = []
    for path in ["/p/us-goals-russia,kyrgyzstan-russia", "/p/several", "/p/secret", "/p/over", "/p/",
                 "/p/none", "/embed/us-goals-russia", "/embed/kyrgyzstan-russia"]:
        browser.open(path)
        found += violations(browser, axe, path)
    browser.open("/p/several")
    browser.all("label.name")[0].click()
    browser.find("button").click()
    assert "was counted" in browser.news()
    found += violations(browser, axe, "a vote")
    browser.driver.get(site.page([*POLLS, "several", "secret", "over", "none"]))
    for poll in [*POLLS, "several", "secret", "over", "none"]:
        browser.widget(poll).find("article")
    browser.run("document.documentElement.style.colorScheme = arguments[0]", scheme)
    found += violations(browser, axe, "widgets")
    browser.widget("secret").vote(1)
    assert "was counted" in browser.widget("secret").news()
    browser.shot(f"widgets-{scheme}")
    found += violations(browser, axe, "a vote in a widget")
    assert found == []


def test_the_figures_are_the_same_wherever_one_looks(daemon, article, site, browser):
    tally = daemon.public("GET", "/v1/polls/us-goals-russia/tally").json()
    figures = [f"{o['votes']} ({o['shown']})" for o in tally["options"]]
    assert figures == ["33 (31%)", "30 (28%)", "24 (22%)", "21 (19%)"]
    rated = "(votes: 2, rating: 5)"
    browser.open("/p/us-goals-russia,kyrgyzstan-russia")
    browser.shot("article")
    assert [f.text for f in browser.all("#us-goals-russia .figure")] == figures
    assert rated in browser.text()
    browser.driver.get(site.page(POLLS))
    browser.widget(POLLS[0]).find(".figure")
    assert [f.text for f in browser.widget(POLLS[0]).all(".figure")] == figures
    browser.widget(POLLS[1]).shows(rated)
    for poll, said in ((POLLS[0], figures), (POLLS[1], [rated])):
        svg = daemon.public("GET", f"/v1/polls/{poll}/chart.svg").body.decode()
        text = html.unescape(re.sub(r"<[^>]+>", "\n", svg))
        assert all(figure in text for figure in said), poll
        show = subprocess.run([harness.TALLY, "--socket", daemon.socket, "show", poll],
                              capture_output=True, text=True, check=True).stdout
        assert all(figure in show for figure in said), poll
    told = browser.driver.execute_async_script("""
        const events = new EventSource(arguments[0] + '/v1/events?ids=us-goals-russia');
        events.addEventListener('tally', (e) => { events.close(); arguments[1](e.data); });
        """, browser.base) if browser.open("/p/us-goals-russia") is None else None
    assert json.loads(told) == tally


@pytest.mark.parametrize("where", ["page", "widget"])
def test_the_accessibility_tree_holds_the_figures(article, site, browser, where):
    if where == "page":
        browser.open("/p/us-goals-russia,kyrgyzstan-russia")
    else:
        browser.driver.get(site.page(POLLS))
        for poll in POLLS:
            browser.widget(poll).find("article")
    nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]

    def named(role):
        return [n["name"]["value"] for n in nodes if n.get("role", {}).get("value") == role
                and not n.get("ignored")]
    assert len(named("meter")) == 9 and all(named("meter"))
    assert any("partnership" in name for name in named("meter")) and "5 stars" in named("meter")
    assert len(named("radio")) == 9 and all(named("radio"))
    assert any("goals for Russia" in name for name in named("group"))
    assert {"Vote", "Rate"} <= set(named("button"))
    texts = " ".join(named("StaticText"))
    assert "33 (31%)" in texts and "(votes: 2, rating: 5)" in texts
