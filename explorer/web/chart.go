package web

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"rsc.io/qr"
)

// Charts are drawn in a box of so many units, which the page stretches to the room
// that there is; words and numbers stand around it, where they keep their size.
const (
	chartWidth  = 600.0
	chartHeight = 120.0
	chartMargin = 4.0
	maxBar      = 48.0 // where there are few
)

// chartGrid is a line at the highest value and one half way to it.
const chartGrid = `<path class="grid" d="M0 4H600M0 62H600"/>`

// Chart is a drawing with what must be said around it.
type Chart struct {
	SVG              template.HTML
	Title            string
	Top, Left, Right string // the highest value, the first and the last moment
	Bottom           string // the lowest value, where the drawing does not begin at 0
	Now              string // the newest value
	Says             string // the drawing in words
	Times            bool   // Left and Right are Unix seconds
}

// Empty reports whether there is nothing to draw.
func (c *Chart) Empty() bool { return c == nil || c.SVG == "" }

// value is a point of a chart.
type value struct {
	y    float64
	says string // shown where a reader points at it
}

// svg puts a drawing into its box. Only this package's own numbers, and texts
// that are escaped, stand in it.
func svg(class string, width, height float64, body string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="%s" viewBox="0 0 %s %s" preserveAspectRatio="none" aria-hidden="true" focusable="false">%s</svg>`,
		class, unit(width), unit(height), body))
}

// unit writes a coordinate.
func unit(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

// highest is the greatest value, and never 0.
func highest(values []value) float64 {
	top := 0.0
	for _, v := range values {
		top = max(top, v.y)
	}
	if top == 0 || math.IsNaN(top) || math.IsInf(top, 0) {
		return 1
	}
	return top
}

// floorOf is where a drawing of values begins: at 0, but a little below the lowest
// where they move so little that a reader would see nothing else of it.
func floorOf(values []value) float64 {
	top, lowest := highest(values), values[0].y
	for _, v := range values {
		lowest = min(lowest, v.y)
	}
	if spread := top - lowest; lowest > top/2 && spread > 0 {
		return lowest - spread/4
	}
	return 0
}

// bars draws a bar for each value.
func bars(values []value) template.HTML {
	if len(values) == 0 {
		return ""
	}
	var b strings.Builder
	top, step := highest(values), chartWidth/float64(len(values))
	wide := min(step-min(2, step/4), maxBar)
	for i, v := range values {
		height := (chartHeight - chartMargin) * v.y / top
		if v.y > 0 {
			height = max(height, 1.5)
		}
		fmt.Fprintf(&b, `<g><title>%s</title><rect class="hit" x="%s" y="0" width="%s" height="%s"/><rect class="bar" x="%s" y="%s" width="%s" height="%s"/></g>`,
			template.HTMLEscapeString(v.says), unit(float64(i)*step), unit(step), unit(chartHeight),
			unit(float64(i)*step+(step-wide)/2), unit(chartHeight-height), unit(wide), unit(height))
	}
	return svg("chart", chartWidth, chartHeight, chartGrid+b.String())
}

// line draws values joined by a line over an area. With steps each value holds until
// the next, as a balance does.
func line(values []value, steps bool) template.HTML {
	if len(values) < 2 {
		return ""
	}
	top, floor, step := highest(values), 0.0, chartWidth/float64(len(values)-1)
	if steps {
		floor = floorOf(values)
	}
	at := func(i int) (x, y string) {
		return unit(float64(i) * step), unit(chartHeight - (chartHeight-chartMargin)*(values[i].y-floor)/(top-floor))
	}
	var path, marks strings.Builder
	for i, v := range values {
		x, y := at(i)
		switch {
		case i == 0:
			path.WriteString("M" + x + " " + y)
		case steps:
			path.WriteString("H" + x + "V" + y)
		default:
			path.WriteString("L" + x + " " + y)
		}
		fmt.Fprintf(&marks, `<rect class="hit" x="%s" y="0" width="%s" height="%s"><title>%s</title></rect>`,
			unit(max(0, float64(i)*step-step/2)), unit(step), unit(chartHeight), template.HTMLEscapeString(v.says))
	}
	area := path.String() + "V" + unit(chartHeight) + "H0Z"
	return svg("chart", chartWidth, chartHeight, chartGrid+`<path class="area" d="`+area+`"/><path class="line" d="`+path.String()+`"/>`+marks.String())
}

// heatColumns is how many blocks stand side by side.
const heatColumns = 50

// voteNames are the letters of query.HeatMap.
var voteNames = map[byte]string{'s': "signed", 'm': "missed", 'n': "voted for no block", 'p': "proposed and signed", '-': "was no validator"}

// heat draws a square for each block, the oldest first, row after row. Equal
// neighbours are one rectangle, so that a thousand blocks are few bytes.
func heat(from uint64, votes string) template.HTML {
	if votes == "" {
		return ""
	}
	rows := (len(votes) + heatColumns - 1) / heatColumns
	var b strings.Builder
	for i := 0; i < len(votes); {
		end := i + 1
		for end < len(votes) && votes[end] == votes[i] && end%heatColumns != 0 {
			end++
		}
		class, known := votes[i], voteNames[votes[i]] != ""
		if !known || class == '-' {
			class = 'x'
		}
		says := fmt.Sprintf("%d: %s", from+uint64(i), voteNames[votes[i]])
		if end-i > 1 {
			says = fmt.Sprintf("%d–%d: %s", from+uint64(i), from+uint64(end-1), voteNames[votes[i]])
		}
		fmt.Fprintf(&b, `<rect class="vote-%c" x="%d" y="%d" width="%d" height="9"><title>%s</title></rect>`, class, i%heatColumns*10, i/heatColumns*10, (end-i)*10-1, says)
		i = end
	}
	return template.HTML(fmt.Sprintf(`<svg class="heat" viewBox="0 0 %d %d" aria-hidden="true" focusable="false">%s<path class="heat-grid" d="%s"/></svg>`, heatColumns*10, rows*10, b.String(), heatGrid(rows)))
}

// heatGrid parts the blocks that one rectangle stands for.
func heatGrid(rows int) string {
	var path strings.Builder
	for column := 1; column < heatColumns; column++ {
		fmt.Fprintf(&path, "M%d.5 0v%d", column*10-1, rows*10)
	}
	return path.String()
}

// qrCode draws a text as a QR code.
func qrCode(text string) template.HTML {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "" // the text is too long for one
	}
	const quiet = 4 // modules of white around it, as the standard asks
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	size := code.Size + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" role="img" aria-label="QR code of the address" shape-rendering="crispEdges"><rect class="qr-paper" width="%d" height="%d"/><path class="qr-ink" d="%s"/></svg>`,
		size, size, size, size, path.String()))
}
