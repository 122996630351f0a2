// A canvas to draw on with mouse, finger, pen or keyboard. It keeps the strokes, so that they can be undone.
const LINE = 20;
const KEY_STEP = 10;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  // `changed` is called whenever the drawing changes.
  constructor(canvas, pen, changed) {
    this.canvas = canvas;
    this.pen = pen;
    this.ink = canvas.getContext("2d");
    this.changed = changed;
    this.strokes = [];
    this.drawing = null;
    this.penAt = [canvas.width / 2, canvas.height * 0.2];
    this.keyStroke = null;
    this.paint();
    this.showPen();
    this.listen();
  }

  get empty() {
    return !this.strokes.length;
  }

  set(strokes) {
    this.strokes = strokes;
    this.keyStroke = null;
    this.paint();
    this.changed();
  }

  clear() {
    this.set([]);
  }

  undo() {
    this.set(this.strokes.slice(0, -1));
  }

  file() {
    return new Promise((resolve) => this.canvas.toBlob((blob) => resolve(new File([blob], "drawing.png", { type: "image/png" }))));
  }

  paint() {
    this.ink.fillStyle = "white";
    this.ink.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.ink.strokeStyle = this.ink.fillStyle = "black";
    this.ink.lineWidth = LINE;
    this.ink.lineCap = this.ink.lineJoin = "round";
    for (const stroke of this.strokes) this.paintStroke(stroke);
  }

  // Curves through the midpoints, with the points as control points: no corners at the sampled positions.
  paintStroke(points) {
    this.ink.beginPath();
    this.ink.moveTo(...points[0]);
    for (let at = 1; at < points.length - 1; at++) {
      const [x, y] = points[at];
      const [nextX, nextY] = points[at + 1];
      this.ink.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    this.ink.lineTo(...points.at(-1));
    this.ink.stroke();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.drawing !== null) return;
      canvas.setPointerCapture(event.pointerId);
      this.drawing = event.pointerId;
      this.keyStroke = null;
      this.strokes.push([this.position(event)]);
      this.paint();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.drawing !== event.pointerId) return;
      this.strokes.at(-1).push(...(event.getCoalescedEvents?.() ?? [event]).map((moved) => this.position(moved)));
      this.paint();
      this.changed();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        if (this.drawing !== event.pointerId) return;
        this.drawing = null;
        this.changed();
      });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => (this.pen.hidden = true));
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      event.preventDefault();
      this.undo();
      return;
    }
    const direction = KEYS[event.key];
    if (!direction) return;
    event.preventDefault();
    this.pen.hidden = false;
    const from = this.penAt;
    this.penAt = from.map((at, axis) => Math.min(Math.max(at + direction[axis] * KEY_STEP, LINE), this.canvas.width - LINE));
    this.showPen();
    if (event.shiftKey) {
      this.keyStroke = null;
      return;
    }
    if (!this.keyStroke) this.strokes.push((this.keyStroke = [from]));
    this.keyStroke.push(this.penAt);
    this.paint();
    this.changed();
  }

  position(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.canvas.width, ((event.clientY - box.top) / box.height) * this.canvas.height];
  }

  showPen() {
    this.pen.style.left = `${(this.penAt[0] / this.canvas.width) * 100}%`;
    this.pen.style.top = `${(this.penAt[1] / this.canvas.height) * 100}%`;
  }
}
