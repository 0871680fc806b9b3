import type { ConsentDescription, ConsentTransaction } from '@cloudflare/workers-oauth-provider'
import { BASE_SCOPE, SCOPES } from '../scopes.ts'
import { html, type Html } from './html.ts'
import { htmlResponse } from './page.ts'

/**
 * A name of this length fills three lines; a longer one is there to push text away. Hosts are never
 * cut: their last part is the one that counts.
 */
const MAX_NAME_LENGTH = 80
// Control and direction characters could make a name read as something else, or backwards.
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu

interface ConsentView {
  readonly details: ConsentDescription
  readonly consent: ConsentTransaction
  /** The scopes on offer, the base scope first. */
  readonly scopes: readonly string[]
  readonly serverHost: string
  /** Who will ask for the sign-in next, e.g. `GitHub`. */
  readonly providerName: string
  /** Whether an approval can be remembered, which needs a signing secret. */
  readonly rememberable: boolean
}

/** The consent page: who asks, for what, where the access goes; every word of the client is data. */
export function consentPage(view: ConsentView): Response {
  const { details, serverHost } = view
  const name = shownName(details.clientName)
  return htmlResponse({
    title: `Allow ${name}?`,
    headers: view.consent.headers,
    body: html`<h1>Allow <bdi>${name}</bdi> to use ${serverHost}?</h1>
      <p class="soft">You sign in with ${view.providerName} in the next step.</p>
      <dl>
        <div>
          <dt>Made by</dt>
          <dd>${publisher(details)}</dd>
        </div>
        <div>
          <dt>Sent to</dt>
          <dd>
            <strong>${details.redirectHost}</strong
            >${details.redirectIsLoopback ? ', this computer' : ''}
          </dd>
        </div>
      </dl>
      <form method="post">
        <input type="hidden" name="handle" value="${view.consent.handle}" />
        <fieldset>
          <legend>It will be able to</legend>
          ${view.scopes.map(scopeChoice)}
        </fieldset>
        ${details.redirectIsLoopback ? LOOPBACK_NOTE : undefined}
        ${view.rememberable ? REMEMBER : undefined}
        <div class="actions">${BUTTONS}</div>
      </form>`,
  })
}

// The first button is what the Enter key presses, so it is the one that gives nothing away.
const BUTTONS = html`<button name="decision" value="deny">Deny</button>
  <button class="primary" name="decision" value="allow">Allow</button>`

const LOOPBACK_NOTE = html`<p class="note small">
  The access goes to an app on this computer. Allow it only if you have just started to sign in from
  there.
</p>`

const REMEMBER = html`<div class="choice remember small">
  <input type="checkbox" id="remember" name="remember" value="yes" />
  <label for="remember">Do not ask again for this app in this browser</label>
</div>`

function publisher({ clientDomain }: ConsentDescription): Html {
  return clientDomain === undefined
    ? html`<span class="soft">Unverified, self-registered</span>`
    : html`<strong>${clientDomain}</strong>`
}

function scopeChoice(scope: string): Html {
  // Without the base scope nothing works, so it is shown but cannot be taken away.
  return scope === BASE_SCOPE
    ? html`<div class="choice">
        <input type="checkbox" id="${scope}" checked disabled />
        <label for="${scope}">${SCOPES[scope]} <code>${scope}, always included</code></label>
      </div>`
    : html`<div class="choice">
        <input type="checkbox" id="${scope}" name="scope" value="${scope}" checked />
        <label for="${scope}">${SCOPES[scope]} <code>${scope}</code></label>
      </div>`
}

function shownName(name: string): string {
  const visible = [...name.replace(INVISIBLE, '').trim()]
  if (visible.length === 0) return 'an app without a name'
  return visible.length > MAX_NAME_LENGTH
    ? `${visible.slice(0, MAX_NAME_LENGTH).join('')}…`
    : visible.join('')
}
