// What went wrong, in plain words, and what to do about it.

import { keepKey } from "./server.js";
import { say } from "./words.js";

const box = document.getElementById("error");
let countdown = 0;
let told = null; // the arguments of what is shown

export function hideError() {
  clearInterval(countdown);
  box.hidden = true;
  box.replaceChildren();
}

/**
 * Shows the string of that name, the server's own words below it, and a button that tries again. A busy server is
 * tried again by itself when the time that it named is over.
 */
export function showError(name, slots, retry = null) {
  hideError();
  told = [name, slots, retry];
  const message = document.createElement("p");
  message.textContent = say(name, slots);
  box.append(message);
  if (slots.detail) box.append(Object.assign(document.createElement("p"), { className: "detail", textContent: slots.detail }));
  if (retry && name === "keyNeeded") box.append(keyForm(retry));
  else if (retry) box.append(retryButton(retry));
  if (retry && slots.seconds) countDown(name, slots.seconds, message, retry);
  box.hidden = false;
}

document.addEventListener("words", () => {
  if (!box.hidden) showError(...told);
});

function retryButton(retry) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: say("retry") });
  button.addEventListener("click", retry);
  return button;
}

function countDown(name, seconds, message, retry) {
  message.setAttribute("aria-live", "off"); // the alert is read once, not each second
  countdown = setInterval(() => {
    seconds -= 1;
    if (seconds <= 0) retry();
    else message.textContent = say(name, { seconds });
  }, 1000);
}

function keyForm(retry) {
  const form = Object.assign(document.createElement("form"), { className: "entry" });
  const field = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "password", autocomplete: "off", required: true });
  field.append(Object.assign(document.createElement("span"), { textContent: say("key") }), input);
  form.append(field, Object.assign(document.createElement("button"), { className: "button", textContent: say("useKey") }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepKey(input.value.trim());
    retry();
  });
  return form;
}
