// The body over a picture, as the stills draw it: ring, bones, joints; hollow where not sure, nothing to what is not seen.
// Belongs here: strokes on a canvas. Does not belong here: when and what (stage.js).

/** Draws one body. `scale` is canvas pixels per picture pixel. */
export function drawBody(context, body, look, scale) {
  const at = (k) => [body.xy[2 * k] * scale, body.xy[2 * k + 1] * scale];
  const sure = (k) => body.seen[k] >= look.sure;
  const tall = height(body, scale);
  const line = Math.min(Math.max(tall / 90, 1.5 * devicePixelRatio), 5 * devicePixelRatio);
  drawRing(context, body, look, scale, line);
  context.lineCap = "round";
  for (const shadow of [true, false]) {
    for (const [a, b, side] of look.bones) {
      if (!sure(a) || !sure(b)) continue;
      context.beginPath();
      context.moveTo(...at(a));
      context.lineTo(...at(b));
      context.lineWidth = line + (shadow ? 2 * devicePixelRatio : 0);
      context.strokeStyle = shadow ? look.colours.shadow : look.colours[side];
      context.stroke();
    }
  }
  for (const [k, side] of look.joints) drawJoint(context, at(k), 0.9 * line + 1.2 * devicePixelRatio, look.colours[side], look.colours.shadow, sure(k));
}

function drawJoint(context, [x, y], radius, colour, shadow, filled) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (filled) {
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeStyle = shadow;
    context.stroke();
    context.fillStyle = colour;
    context.fill();
    return;
  }
  for (const [width, stroke] of [[3 * devicePixelRatio, shadow], [1.25 * devicePixelRatio, colour]]) {
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.stroke();
  }
}

function extent(body, points, scale) {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const k of points) {
    const x = body.xy[2 * k] * scale, y = body.xy[2 * k + 1] * scale;
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

function height(body, scale) {
  const box = extent(body, body.seen.keys(), scale);
  return Math.max(box.bottom - box.top, box.right - box.left, 8);
}

// A ring on the ground at the player's feet, as television does and as the stills have it.
function drawRing(context, body, look, scale, line) {
  const tall = height(body, scale);
  const feet = extent(body, look.feet, scale);
  const across = Math.max((feet.right - feet.left) / 2 + 0.1 * tall, 0.24 * tall);
  for (const [width, colour] of [[line + 2 * devicePixelRatio, look.colours.shadow], [line, look.colours.ring]]) {
    context.beginPath();
    context.ellipse((feet.left + feet.right) / 2, feet.bottom - 0.01 * tall, across, 0.075 * tall, 0, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** The names of moments in the lower left corner, and the ball in the upper left one, of a picture `height` canvas pixels high. */
export function drawLabels(context, labels, ball, look, height) {
  const size = Math.max(13 * devicePixelRatio, Math.round(height / 26));
  const pad = size * 0.5;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const pill = (text, y, colour) => {
    const width = context.measureText(text).width + 2 * pad;
    context.fillStyle = "rgb(16 24 20 / 82%)";
    context.beginPath();
    context.roundRect(pad, y, width, 1.7 * size, 0.4 * size);
    context.fill();
    context.fillStyle = colour;
    context.fillText(text, 2 * pad, y + 0.88 * size);
  };
  if (ball) pill(ball, pad, "#fafafa");
  labels.forEach((text, i) => pill(text, height - pad - (labels.length - i) * 1.9 * size, look.colours.ring));
}
