// How many tests a run of cargo, wasm-pack or node had, read from its output: `{ passed, failed, skipped }`, where
// `skipped` lists each skipped case with its reason.

/** Output of `cargo test -- --show-output` or `wasm-pack test`, any number of test programs in a row. */
export function rustCounts(output) {
  const counts = { passed: 0, failed: 0, skipped: [] };
  for (const [, passed, failed] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
  }
  for (const [, name, reason] of output.matchAll(/^test (\S+) .*\.\.\. ignored(?:, (.*))?$/gm)) {
    counts.skipped.push(`${name}: ${reason ?? 'ignored'}`);
  }
  // A test that lacks its data passes for cargo and says `skipped: …` on stderr; --show-output brings that to light.
  for (const [, name, text] of output.matchAll(/^---- (\S+) stdout ----\n([^]*?)(?=^----|^successes:|^failures:)/gm)) {
    const reason = text.match(/^skipped: (.*)$/m);
    if (!reason) continue;
    counts.skipped.push(`${name}: ${reason[1]}`);
    counts.passed -= 1;
  }
  return counts;
}

/** Output of `node --test --test-reporter=tap`. */
export function nodeCounts(output) {
  const total = (name) => Number(output.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? 0);
  const skipped = [...output.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)];
  return {
    passed: total('pass'),
    failed: total('fail') + total('cancelled'),
    skipped: skipped.map(([, name, reason]) => `${name}: ${reason || 'skipped'}`),
  };
}
