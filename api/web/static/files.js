// The files of an <input type=file>, as scripts change them. A person's choice is told by the
// event "change", a script's by "filesset", and what the list kept of either by "kept".

export function assign(input, files) {
  const holder = new DataTransfer();
  for (const file of files) holder.items.add(file);
  input.files = holder.files;
}

// An input of one file keeps the newest.
export function addFile(input, file) {
  setFiles(input, input.multiple ? [...input.files, file] : [file]);
}

export function removeFile(input, file) {
  setFiles(
    input,
    [...input.files].filter((one) => !same(one, file)),
  );
}

export function holds(input, file) {
  return [...input.files].some((one) => same(one, file));
}

// A browser may hand out another object for the same file.
export function same(one, other) {
  const { name, size, lastModified } = other;
  return one.name === name && one.size === size && one.lastModified === lastModified;
}

// One of an element's data-* texts, "hint-good" for data-hint-good, with its {placeholders} filled.
export function text(element, key, values = {}) {
  const pattern = (key && element.getAttribute(`data-${key}`)) || "";
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function setFiles(input, files) {
  assign(input, files);
  input.dispatchEvent(new Event("filesset", { bubbles: true }));
}
