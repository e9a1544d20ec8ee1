// Passkeys and security keys: asks the browser for one, and tells it what has become of them
// (WebAuthn Level 3, §5.1.3, §5.1.4 and §5.1.10).

const SIGNALS = ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"];

const isSupported = typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (form instanceof HTMLFormElement) connect(form);
}

for (const element of document.querySelectorAll("[data-passkey-signals]")) {
  const told = JSON.parse(element.getAttribute("data-passkey-signals") ?? "{}");
  for (const signal of SIGNALS) {
    // A browser that does not know it, or has nowhere to put it, is none the worse for it.
    if (isSupported && signal in told) PublicKeyCredential[signal]?.(told[signal]).catch(() => {});
  }
}

/**
 * A form that is sent with a credential: `data-passkey` says whether the browser is to `create` or to `get` one,
 * `data-options` for what, and `data-autofill` whether it may offer them where a name is typed.
 *
 * @param {HTMLFormElement} form
 */
function connect(form) {
  if (!isSupported) {
    // Where there is another way, nobody needs to know.
    if (!explain(form, "unsupported")) form.hidden = true;
    return;
  }
  const options = JSON.parse(form.dataset.options ?? "{}");
  const autofill = new AbortController();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    explain(form, "");
    // Browsers take one request at a time.
    autofill.abort();
    try {
      send(form, await ask(form.dataset.passkey, options));
    } catch (error) {
      explain(form, error instanceof DOMException && error.name === "InvalidStateError" ? "known" : "failed");
    }
  });
  if ("autofill" in form.dataset) offer(form, options, autofill.signal);
}

/**
 * @param {HTMLFormElement} form
 * @param {any} options
 * @param {AbortSignal} signal
 */
async function offer(form, options, signal) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  try {
    send(form, await ask("get", options, { mediation: "conditional", signal }));
  } catch {
    // The person has chosen another way.
  }
}

/**
 * @param {string | undefined} what
 * @param {any} options
 * @param {CredentialRequestOptions} [how]
 */
function ask(what, options, how = {}) {
  return what === "create"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ ...how, publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

/**
 * @param {HTMLFormElement} form
 * @param {Credential | null} credential
 */
function send(form, credential) {
  const field = form.elements.namedItem("credential");
  if (!(credential instanceof PublicKeyCredential) || !(field instanceof HTMLInputElement)) return;
  field.value = JSON.stringify(credential.toJSON());
  form.submit();
}

/**
 * Shows the one sentence of the form that says what went wrong, if it has one.
 *
 * @param {HTMLFormElement} form
 * @param {string} problem
 */
function explain(form, problem) {
  let isSaid = false;
  for (const sentence of form.querySelectorAll("[data-problem]")) {
    const isIt = sentence.getAttribute("data-problem") === problem;
    sentence.toggleAttribute("hidden", !isIt);
    isSaid ||= isIt;
  }
  return isSaid;
}
