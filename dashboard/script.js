"use strict";
// Shows the server's latest page every few seconds, and the last one, with a notice, while the server does not answer.
const SECONDS = 5;

async function latest() {
  const answer = await fetch("/", { cache: "no-store" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function show(page) {
  const old = document.querySelector("main");
  const next = page.querySelector("main");
  document.title = page.title;
  if (old.dataset.round === next.dataset.round && old.querySelectorAll("time").length === next.querySelectorAll("time").length) {
    // Only the ages differ: a selected command stays selected.
    const ages = next.querySelectorAll("time");
    old.querySelectorAll("time").forEach((time, number) => { time.textContent = ages[number].textContent; });
    return;
  }
  old.querySelectorAll("details[open]").forEach(({ id }) => next.querySelector(`#${id}`)?.setAttribute("open", ""));
  old.replaceWith(next);
}

setInterval(async () => {
  const lost = document.querySelector("#lost");
  try {
    show(await latest());
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
}, SECONDS * 1000);
