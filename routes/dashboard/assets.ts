/** Style and script of the dashboard, as they are served: no build step makes them. Pure. */

export const STYLE = `
:root { --text: #1b1f24; --back: #fff; --soft: #f3f5f7; --line: #d0d7de; --good: #116329; --bad: #a40e26; --warn: #7d4e00; --one: #0550ae; --two: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --back: #0d1117; --soft: #161b22; --line: #30363d; --good: #56d364; --bad: #ff8182; --warn: #e3b341; --one: #79c0ff; --two: #ff8182; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 0 1rem 2rem; font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; position: sticky; top: 0; background: var(--back); border-bottom: 1px solid var(--line); z-index: 1; }
h1 { font-size: 1.2rem; margin: .5rem 0; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; } p { margin: .25rem 0; }
#link { color: var(--good); } [data-link=lost] #link, [data-link=waiting] #link { color: var(--bad); font-weight: 600; }
[data-link=lost] main { opacity: .45; } [data-link=lost] main button { visibility: hidden; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 600; } th small { display: block; font-weight: 400; }
.state { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); gap: 1rem; }
figure { margin: .5rem 0; padding: .5rem; background: var(--soft); overflow: hidden; } figcaption span { margin-right: 1rem; }
span.line0 { color: var(--one); } span.line1 { color: var(--two); } .u-select { background: var(--line); } .u-cursor-x { border-color: var(--text); }
ol.timeline { margin: 0; padding-left: 0; list-style: none; max-height: 14rem; overflow-y: auto; }
ol.timeline time { display: inline-block; min-width: 4.5rem; } ul.plan { margin: .25rem 0; padding-left: 1rem; list-style: none; } small { margin-left: .25rem; }
button { font: inherit; color: inherit; background: var(--soft); border: 1px solid var(--line); border-radius: .3rem; padding: .1rem .5rem; min-height: 1.75rem; cursor: pointer; }
button[aria-pressed=true] { border-color: var(--one); font-weight: 600; } :focus-visible { outline: 2px solid var(--one); outline-offset: 1px; }
.buttons { white-space: nowrap; } .buttons button { margin-right: .25rem; } pre { white-space: pre-wrap; }
@media (max-width: 50rem) {
  .wide table { min-width: 48rem; }
  td.buttons { position: sticky; right: 0; background: var(--back); padding: .3rem 0 .3rem .4rem; white-space: normal; width: 5.5rem; }
  td.buttons button { display: block; width: 100%; margin: 0 0 .25rem; }
}
`;

export const SCRIPT = `"use strict";
const SILENT_MS = 2500, AGAIN_MS = 500;
const at = (id) => document.getElementById(id);
const [main, link, gate, field, said] = ["main", "link", "gate", "token", "said"].map(at);
const parts = { top: at("top"), rest: at("rest"), plan: at("plan") };
let token = sessionStorage.getItem("tandem-token") ?? "";
let heard = Date.now();
let attempt = new AbortController();
let wanted = null;

const headers = () => token === "" ? {} : { authorization: "Bearer " + token };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function tell(text, state) {
  if (link.textContent !== text) link.textContent = text;
  document.documentElement.dataset.link = state;
}

function show({ top, rest, points, whole }) {
  const focused = document.activeElement?.id ?? "";
  const scrolled = [...main.querySelectorAll(".scrolls")].map(({ id, scrollLeft, scrollTop }) => ({ id, scrollLeft, scrollTop }));
  parts.top.innerHTML = top;
  parts.rest.innerHTML = rest;
  for (const { id, scrollLeft, scrollTop } of scrolled) at(id)?.scrollTo(scrollLeft, scrollTop);
  if (focused !== "" && focused !== document.activeElement?.id) at(focused)?.focus({ preventScroll: true });
  charts.show(points, whole);
}

/** Shows what a reload would change now. */
async function compare() {
  const response = await fetch("dashboard/plan", { headers: headers() });
  if (response.status === 401) {
    await askForToken("A token is needed to read");
    return await compare();
  }
  parts.plan.innerHTML = await response.text();
}

at("compare").addEventListener("click", () => compare().catch(notAnswered));

function notAnswered(error) {
  said.textContent = "The node did not answer: " + error.message;
}

/** Resolves when the next token is entered. */
function askForToken(why) {
  said.textContent = token === "" ? why : "Wrong token";
  tell("A token is needed", "waiting");
  gate.hidden = false;
  field.focus();
  wanted ??= Promise.withResolvers();
  return wanted.promise;
}

gate.addEventListener("submit", (event) => {
  event.preventDefault();
  token = field.value;
  sessionStorage.setItem("tandem-token", token);
  field.value = "";
  gate.hidden = true;
  heard = Date.now();
  attempt.abort();
  said.textContent = "";
  wanted?.resolve();
  wanted = null;
});

async function listen() {
  attempt = new AbortController();
  const response = await fetch("dashboard/events", { headers: headers(), signal: attempt.signal });
  if (response.status === 401) return await askForToken("A token is needed to read");
  if (!response.ok) throw new Error(await response.text());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\\n\\n");
    text = events.pop();
    for (const event of events) {
      heard = Date.now();
      tell("Live", "live");
      if (event.startsWith("data: ")) show(JSON.parse(event.slice(6)));
    }
  }
}

main.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-path]");
  if (button === null) return;
  const { confirm: question } = button.dataset;
  if (question === "" || confirm(question)) await perform(button.id, button.dataset);
});

async function perform(id, action) {
  const { method, path, body, done } = action;
  said.textContent = "";
  try {
    const init = { method, headers: { ...headers(), "content-type": "application/json" } };
    const response = await fetch(path, body === "" ? init : { ...init, body });
    const answer = await response.json();
    if (response.status === 401) {
      await askForToken("A token is needed to change anything");
      at(id)?.focus({ preventScroll: true });
      return await perform(id, action);
    }
    said.textContent = response.ok ? [done, ...answer.warnings].join(": ") : answer.error;
    if (parts.plan.innerHTML !== "") await compare();
  } catch (error) {
    notAnswered(error);
  }
}

setInterval(() => {
  const silent = Date.now() - heard;
  if (silent < SILENT_MS || wanted !== null) return;
  tell("No word from the node for " + Math.round(silent / 1000) + " s: what stands here is old", "lost");
  if (silent > 2 * SILENT_MS && silent % (2 * SILENT_MS) < AGAIN_MS) attempt.abort();
}, AGAIN_MS);

(async () => {
  while (true) {
    try {
      await listen();
    } catch {
      // Said by the clock above.
    }
    await sleep(AGAIN_MS);
  }
})();
`;
