// `node dev/idp.main.mjs`: the identity provider alone, with fixed values that match
// .dev.vars.example, for `wrangler dev -c wrangler.oauth.jsonc` without any account.
import { startIdp } from './idp.mjs'

const idp = await startIdp({ port: 8790, clientSecret: 'loopback-only' })
// 8787 is the port of `wrangler dev`; a browser may have been given either name of it.
for (const host of ['localhost', '127.0.0.1']) idp.allowRedirect(`http://${host}:8787/callback`)
console.log(`Identity provider: ${idp.issuer} (client ${idp.clientId})`)
