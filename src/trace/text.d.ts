/** A file as text, made small at build time (tsup.config.ts). */
declare module '*?text' {
  const text: string
  export default text
}

/** A browser program in one piece, bundled at build time (tsup.config.ts). */
declare module '*?bundle' {
  const text: string
  export default text
}
