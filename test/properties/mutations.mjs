// @ts-check

/**
 * Small faults, each in code that one property guards. `npm run fuzz -- --mutations` breaks a copy of
 * the source with one after the other; a property that does not notice guards nothing.
 *
 * @typedef {readonly [file: string, text: string, broken: string]} Mutation a file below src, what stands
 *   there exactly once, and what is put in its place
 */

/** By the name of the property that must notice. @type {Readonly<Record<string, readonly Mutation[]>>} */
export const MUTATIONS = {
  'framing: any bytes, cut anywhere, are the same lines': [
    ['local/lines.ts', 'if (heldCr && rest[0] !== LF) take(Buffer.of(CR))', ''],
    [
      'local/lines.ts',
      'reader.size() + piece.length > maxBytes',
      'reader.size() + piece.length >= maxBytes',
    ],
    ['json/utf8.ts', 'if (!isUtf8(whole)) return false', ''],
  ],
  'event streams: any stream, cut anywhere, says what eventsource-parser reads in it': [
    ['remote/events.ts', 'skipLf = stop === nextCr && stop !== lf', 'skipLf = false'],
    ['remote/events.ts', "hasData = false\n    type = ''", 'hasData = false'],
    ['remote/events.ts', "else if (!text.includes('\\0')) id = text", 'else id = text'],
  ],
  'event streams: data is one JSON text on one line, however it was broken into lines': [
    ['remote/events.ts', 'if (hasData) takeData(LINE_BREAK_AS_SPACE)', ''],
  ],
  'json: a damaged text is accepted exactly when JSON.parse accepts it': [
    [
      'json/scanner.ts',
      'if (stack[level] !== OPENER[meaning]) state = BROKEN',
      'if (level < 0) state = BROKEN',
    ],
    ['json/grammar.ts', "on(MINUS, '0', ZERO)", "on(MINUS, '0', INTEGER)"],
  ],
  'json: any bytes are accepted exactly when JSON.parse accepts them as characters': [
    [
      'json/grammar.ts',
      '(state << 8) | 0x20, (state + 1) << 8',
      '(state << 8) | 0x1f, (state + 1) << 8',
    ],
  ],
  'json: the members of a message, and of each message of a batch, are found where they stand': [
    ['json/scanner.ts', 'keyHead += keyPart(chunk, keyFrom, length)', "keyHead += ''"],
    [
      'json/scanner.ts',
      'if (level <= memberDepth) state = endValue(level, offset + i)\n',
      'if (level <= memberDepth) state = endValue(level, offset + i + 1)\n',
    ],
  ],
  'json: a frame is of the kind that its parsed value has, on one line': [
    ['frame.ts', "!'[{tf'.includes(source[0]!)", "!'[{f'.includes(source[0]!)"],
    ['frame.ts', 'if (scan.breaks) text.forEach(blankLineBreaks)', ''],
  ],
  'json: an id and a result are replaced, and a missing id is put first, without touching any other byte':
    [
      [
        'frame.ts',
        'cut(frame.chunks, { start: end, end: frame.size })',
        'cut(frame.chunks, { start, end: frame.size })',
      ],
      [
        'frame.ts',
        'slice(frame.chunks, { start: 0, end: frame.size }).indexOf(0x7b)',
        'frame.chunks[0]!.indexOf(0x7b)',
      ],
    ],
  'json: what JSON.parse finds under a path stands where it is looked for': [
    [
      'json/locate.ts',
      'if (member.name === name) found = member.value',
      'if (member.name === name) found ??= member.value',
    ],
    ['json/locate.ts', 'at += text[at] === 0x5c ? 2 : 1', 'at += 1'],
  ],
  'json: an edited object parses to the edited value, and no other member loses a byte': [
    ['json/edit.ts', 'if (first) added.pop()', ''],
    ['json/edit.ts', 'const untouched = removed === from', 'const untouched = true'],
  ],
  'json: items are taken out of an array and replaced, and no other item loses a byte': [
    ['json/edit.ts', 'gap.subarray(gap.lastIndexOf(0x2c) + 1)', 'gap'],
    ['json/edit.ts', "Buffer.from(index === 0 ? '' : ',')", "Buffer.from(',')"],
  ],
  'challenges: what a server may write is what is read': [
    ['auth/challenge.ts', "?.replaceAll(/\\\\(.)/gs, '$1')", ''],
    ['auth/challenge.ts', 'take(TOKEN68)', ''],
  ],
  'challenges: no header makes the parser throw or hang': [
    ['auth/challenge.ts', 'take(TOKEN)?.[0]', 'take(TOKEN)![0]'],
    [
      'auth/challenge.ts',
      'if (at === value.length) return schemes',
      "if (Buffer.from(value.slice(at)).toString() === '') return schemes",
    ],
  ],
  'store: processes that share a sign-in lose no update, tear no file and use no token twice': [
    ['store/lock.ts', "if (code === 'EEXIST') return false", "if (code === 'EEXIST') return true"],
    [
      'store/credentials.ts',
      'await vault.write(JSON.stringify(record))',
      'void vault.write(JSON.stringify(record))',
    ],
  ],
  'relay: exactly one answer to each request, in order, whatever both sides and the wire do': [
    [
      'relay.ts',
      'ids.filter((id, i) => open.get(id) === entries[i])',
      'ids.filter((id) => open.has(id))',
    ],
    ['relay.ts', 'entry.stray ??= frame', 'entry.stray = frame'],
    ['relay.ts', 'if (entry.group !== undefined) void collect(entry.group)', ''],
    ['relay.ts', 'if (id !== undefined) asked.delete(id)', ''],
  ],
  'eras: what a host of the initialize era and a stateless server tell each other keeps its bytes':
    [
      [
        'era/claims.ts',
        "const meta = objectAt(params, '_meta') ?? EMPTY\n  const changes",
        'const meta = EMPTY\n  const changes',
      ],
      [
        'era/legacy-to-modern/results.ts',
        'return withMembers(result, { resultType: undefined })',
        'return Buffer.from(JSON.stringify(JSON.parse(result.toString())))',
      ],
    ],
  'eras: what a stateless host and a server of the initialize era tell each other keeps its bytes':
    [
      [
        'era/modern-to-legacy/request-meta.ts',
        'if (dropped.length === names.length) return undefined',
        'if (dropped.length > 0) return undefined',
      ],
      [
        'era/modern-to-legacy/results.ts',
        "const meta = objectAt(result, '_meta') ?? Buffer.from('{}')",
        "const meta = Buffer.from('{}')",
      ],
    ],
  'host files: an entry put into JSON and taken out again leaves every byte as it was': [
    ['hosts/edit-json.ts', 'const end = own?.end ?? property.end', 'const { end } = property'],
    ['hosts/edit-json.ts', 'if (isLineComment(kind)) gap = `${eol}${indent}`', ''],
  ],
  'host files: a JSON entry that was changed is put back, byte for byte': [
    [
      'hosts/edit-json.ts',
      'return node && text.slice(node.offset, node.offset + node.length)',
      'return node && JSON.stringify(valueOf(node))',
    ],
  ],
  'host files: an entry put into TOML and taken out again leaves every byte as it was': [
    ['hosts/edit-toml.ts', 'before.slice(0, blank.index)', 'before'],
  ],
  'host files: a TOML entry that was changed is put back, and means what it did': [
    ['hosts/edit-toml.ts', 'shifted(own, first.start)', 'shifted(own, 0)'],
  ],
}
