// Compares two screenshots by the colours of their blocks; called with both as base64, the side of a block
// and the tolerated difference of a channel. Gives the share of blocks that differ, and a picture of them.
const [kept, taken, side, tolerated, done] = arguments;

async function pixels(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

// The mean of each channel of a block.
function mean(image, left, top) {
  const sum = [0, 0, 0];
  let count = 0;
  for (let y = top; y < Math.min(top + side, image.height); y++) {
    for (let x = left; x < Math.min(left + side, image.width); x++) {
      const at = 4 * (y * image.width + x);
      for (let channel = 0; channel < 3; channel++) sum[channel] += image.data[at + channel];
      count++;
    }
  }
  return sum.map((value) => value / count);
}

async function compare() {
  const [before, after] = [await pixels(kept), await pixels(taken)];
  if (before.width !== after.width || before.height !== after.height) {
    return { share: 1, picture: taken };
  }
  const canvas = new OffscreenCanvas(after.width, after.height);
  const context = canvas.getContext("2d");
  context.putImageData(after, 0, 0);
  context.fillStyle = "rgba(255, 0, 80, 0.5)";
  let [different, all] = [0, 0];
  for (let top = 0; top < after.height; top += side) {
    for (let left = 0; left < after.width; left += side) {
      const [one, other] = [mean(before, left, top), mean(after, left, top)];
      all++;
      if (one.some((value, channel) => Math.abs(value - other[channel]) > tolerated)) {
        different++;
        context.fillRect(left, top, side, side);
      }
    }
  }
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { share: different / all, picture: btoa(text) };
}

compare().then(done, (error) => done({ error: String(error) }));
