// Lines with a password in them: nothing keeps them, and no screen shows the password.

/** Also where the command is mistyped, or behind another one, as the server catches it. */
const SECRET =
  /^((?:[/@]\S+\s+(?:\S+\s+)?(?=[^\p{L}\p{N}\s]))?[^\p{L}\p{N}]*(?:login|register|password|identify|(?<=\/)\s*forget))[\s:=,;]+\S/iu;

/** Whether a typed line has a password in it. @param {string} text */
export function isSecret(text) {
  return SECRET.test(text);
}

/** What is shown of a typed line. @param {string} text */
export function shownOf(text) {
  return isSecret(text) ? `${SECRET.exec(text)?.[1]} ...` : text;
}
