// The files of a drop, those in its folders with their paths: `[{ file, name }]`.
export async function droppedFiles(transfer) {
  // All entries must be taken at once: the browser forgets them after the first pause.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, name: entry.fullPath.replace(/^\//, "") });
  } else {
    const reader = entry.createReader();
    // A reader gives some at a time, and nothing at the end.
    for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length; ) {
      for (const inside of some) await collect(inside, found);
    }
  }
}
