// Looks for the number that the server wants to see before an account is made, while the form is being filled in.
// SHA-256 runs beside the page, which stays usable.

/** How many numbers are tried at once. */
const AT_ONCE = 64;

for (const element of document.querySelectorAll("[data-captcha]")) {
  const form = element.closest("form");
  if (element instanceof HTMLElement && form instanceof HTMLFormElement) connect(element, form);
}

/**
 * @param {HTMLElement} element
 * @param {HTMLFormElement} form
 */
function connect(element, form) {
  const field = form.elements.namedItem("captcha_answer");
  if (!(field instanceof HTMLInputElement)) return;
  // What a browser kept over a reload answers another question.
  field.value = "";
  /** @type {Promise<void> | undefined} */
  let search;
  const begin = () =>
    (search ??= find(element).then((number) => {
      field.value = String(number);
    }));
  // Who only looks at the page need not compute anything.
  form.addEventListener("focusin", () => begin().catch(() => {}), { once: true });
  if (form.contains(document.activeElement)) begin().catch(() => {});
  let isWaiting = false;
  form.addEventListener("submit", async (event) => {
    if (field.value !== "") return;
    event.preventDefault();
    if (isWaiting) return;
    isWaiting = true;
    say(element, "working");
    try {
      await begin();
      say(element, "done");
      form.requestSubmit(event.submitter);
    } catch {
      say(element, "failed");
    }
    isWaiting = false;
  });
}

/**
 * The number below `data-work` whose hash, with the salt before it, is the target.
 *
 * @param {HTMLElement} element
 */
async function find(element) {
  const { salt = "", target = "", work = "0" } = element.dataset;
  const bar = element.querySelector("progress");
  const wanted = Uint8Array.from(atob(target.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const encoder = new TextEncoder();
  const isIt = async (/** @type {number} */ number) => {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(`${salt}.${number}`)));
    return hash.every((byte, index) => byte === wanted[index]);
  };
  for (let first = 0; first < Number(work); first += AT_ONCE) {
    const tried = await Promise.all(Array.from({ length: AT_ONCE }, (_, offset) => isIt(first + offset)));
    const found = tried.indexOf(true);
    if (found >= 0) {
      if (bar) bar.value = 1;
      return first + found;
    }
    if (bar) bar.value = first / Number(work);
  }
  throw new Error("no number fits");
}

/**
 * Shows one sentence of those that say how far it is.
 *
 * @param {HTMLElement} element
 * @param {string} state
 */
function say(element, state) {
  for (const sentence of element.querySelectorAll("[data-state]")) {
    sentence.toggleAttribute("hidden", sentence.getAttribute("data-state") !== state);
  }
}
