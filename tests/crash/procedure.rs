//! A runbook whose steps append lines to a file of the host, each its own, and what has to be in that file in the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::dice::Dice;
use crate::site::Site;

/// What its runbook is called.
pub const NAME: &str = "trace";

/// Every shape a step has here.
#[derive(Debug, Clone, Default)]
struct Shape {
    id: String,
    /// Done for each of them, where there are some.
    items: Vec<String>,
    parallel: usize,
    /// Milliseconds before the line is appended, and after.
    pauses: (usize, usize),
    /// Its first attempt appends a line and fails.
    fails_first: bool,
    /// What happens then: the step is tried again at once, or another runbook is run before.
    is_rescued: bool,
    undo: Undo,
    needs_approval: bool,
    /// Prints what the next step appends.
    names_the_next: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Undo {
    #[default]
    Nothing,
    Appends,
    /// The run is stuck then, and goes on when it is resumed.
    FailsFirst,
}

/// What one step leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The place of its group in the runbook.
    pub block: usize,
    /// One line for each of its attempts.
    pub lines: Vec<String>,
    /// One line for each attempt at its undo.
    pub undo: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Procedure {
    shapes: Vec<Shape>,
    pub traces: Vec<Trace>,
}

impl Procedure {
    /// One of everything.
    pub fn with_everything() -> Procedure {
        let shape = |id: &str, undo| Shape { id: id.to_owned(), undo, parallel: 1, ..Shape::default() };
        let each = |id: &str, undo| Shape {
            items: ["a", "b", "c"].map(String::from).to_vec(),
            parallel: 2,
            ..shape(id, undo)
        };
        Procedure::of(vec![
            shape("plain", Undo::Appends),
            Shape { fails_first: true, ..shape("retried", Undo::Appends) },
            Shape { pauses: (5, 5), ..each("each", Undo::Appends) },
            Shape { names_the_next: true, ..shape("name", Undo::Nothing) },
            shape("named", Undo::Appends),
            Shape { needs_approval: true, ..shape("asked", Undo::FailsFirst) },
            Shape { fails_first: true, is_rescued: true, ..shape("rescued", Undo::Appends) },
            Shape { fails_first: true, ..each("stubborn", Undo::Nothing) },
            shape("last", Undo::Nothing),
        ])
    }

    /// About eight steps of any shape.
    pub fn random(dice: &mut Dice) -> Procedure {
        let mut shapes: Vec<Shape> = Vec::new();
        for number in 1..=6 + dice.below(4) {
            let is_group = dice.one_in(4);
            let items = if is_group { 2 + dice.below(3) } else { 0 };
            let pause = |dice: &mut Dice| if dice.one_in(3) { dice.below(80) } else { 0 };
            let fails_first = dice.one_in(4);
            shapes.push(Shape {
                id: format!("step{number}"),
                items: ["a", "b", "c", "d"][..items].iter().map(|item| (*item).to_owned()).collect(),
                parallel: 1 + dice.below(3),
                pauses: (pause(dice), pause(dice)),
                fails_first,
                is_rescued: fails_first && !is_group && dice.one_in(2),
                undo: if dice.one_in(3) { Undo::Nothing } else { Undo::Appends },
                needs_approval: false,
                names_the_next: !is_group && dice.one_in(6),
            });
        }
        if let Some(last) = shapes.last_mut() {
            last.names_the_next = false;
        }
        Procedure::of(shapes)
    }

    fn of(shapes: Vec<Shape>) -> Procedure {
        let mut traces = Vec::new();
        for (block, shape) in shapes.iter().enumerate() {
            let said_by = block.checked_sub(1).map(|before| &shapes[before]);
            for key in shape.names() {
                let key = if shape.is_named_by(said_by) { format!("{key}-7") } else { key };
                let tries = |name: &str, fails: bool| match fails {
                    true => vec![format!("{name}.1"), format!("{name}.2")],
                    false => vec![name.to_owned()],
                };
                traces.push(Trace {
                    block,
                    lines: tries(&key, shape.fails_first),
                    undo: match shape.undo {
                        Undo::Nothing => Vec::new(),
                        undo => tries(&format!("un-{key}"), undo == Undo::FailsFirst),
                    },
                });
            }
            if shape.is_rescued {
                let lines = vec![format!("mend-{}", shape.id)];
                traces.push(Trace { block, lines, undo: vec![format!("un-mend-{}", shape.id)] });
            }
        }
        Procedure { shapes, traces }
    }

    /// Writes its runbooks into a site.
    pub fn write(&self, site: &Site) {
        let mut text = heading(NAME);
        let mut before = None;
        for shape in &self.shapes {
            shape.write(&mut text, site, before);
            if shape.is_rescued {
                let id = format!("mend-{}", shape.id);
                let mend = Shape { id: id.clone(), undo: Undo::Appends, parallel: 1, ..Shape::default() };
                let mut text = heading(&id);
                mend.write(&mut text, site, None);
                site.runbook(&id, &text);
            }
            before = Some(shape);
        }
        site.runbook(NAME, &text);
    }

    /// Whether an undo fails at first.
    pub fn gets_stuck(&self) -> bool {
        self.shapes.iter().any(|shape| shape.undo == Undo::FailsFirst)
    }

    /// What a line is about: the trace, and whether it is one of its undo. Nothing for a line that nobody should have written.
    pub fn meaning(&self) -> BTreeMap<&str, (&Trace, bool)> {
        let forward =
            self.traces.iter().flat_map(|trace| trace.lines.iter().map(move |line| (line, trace, false)));
        let back =
            self.traces.iter().flat_map(|trace| trace.undo.iter().map(move |line| (line, trace, true)));
        forward.chain(back).map(|(line, trace, is_undo)| (line.as_str(), (trace, is_undo))).collect()
    }
}

impl Shape {
    fn is_named_by(&self, before: Option<&Shape>) -> bool {
        self.items.is_empty() && before.is_some_and(|before| before.names_the_next)
    }

    /// The names that its lines begin with.
    fn names(&self) -> Vec<String> {
        match self.items.is_empty() {
            true => vec![self.id.clone()],
            false => self.items.iter().map(|item| format!("{}.{item}", self.id)).collect(),
        }
    }

    /// `before`: the step before it, which may have printed what it appends.
    fn write(&self, text: &mut String, site: &Site, before: Option<&Shape>) {
        let (name, undo_name) = match before.filter(|_| self.is_named_by(before)) {
            Some(before) => {
                (format!("{}-{{{{ outputs.{}.name }}}}", self.id, before.id), format!("un-{}-7", self.id))
            }
            None if self.items.is_empty() => (self.id.clone(), format!("un-{}", self.id)),
            None => (format!("{}.{{{{ item }}}}", self.id), format!("un-{}.{{{{ item }}}}", self.id)),
        };
        let Shape { id, .. } = self;
        let _ = write!(text, "  - id: {id}\n    title: Append {id}\n    on: app\n");
        if !self.items.is_empty() {
            let items: Vec<_> = self.items.iter().map(|item| format!("'{item}'")).collect();
            let _ = write!(
                text,
                "    for_each: \"{{{{ [{}] }}}}\"\n    parallel: {}\n",
                items.join(", "),
                self.parallel
            );
        }
        let _ = write!(
            text,
            "    do:\n      command:\n        shell: |-\n          {}\n",
            self.script(site, &name)
        );
        if self.fails_first && self.is_rescued {
            let _ = writeln!(text, "    on_failure: {{ run: mend-{id} }}");
        } else if self.fails_first {
            let _ = writeln!(text, "    retry: {{ attempts: 2, delay: 20ms }}");
        }
        if self.needs_approval {
            let _ = writeln!(text, "    approve: may it go on?");
        }
        if self.names_the_next {
            let _ = writeln!(text, "    outputs: {{ name: {{ regex: 'name: (.*)' }} }}");
        }
        match self.undo {
            Undo::Nothing => text.push_str("    undo: none\n"),
            undo => {
                let shape =
                    Shape { fails_first: undo == Undo::FailsFirst, names_the_next: false, ..self.clone() };
                let script = shape.script(site, &undo_name);
                let _ = write!(text, "    undo:\n      command:\n        shell: |-\n          {script}\n");
            }
        }
    }

    fn script(&self, site: &Site, name: &str) -> String {
        let (lines, marks) = (site.path("lines"), site.path("marks"));
        let (lines, marks) = (lines.display(), marks.display());
        let pause =
            |ms: usize| if ms > 0 { format!("sleep {:.3}; ", ms as f64 / 1000.0) } else { String::new() };
        let (before, after) = self.pauses;
        let mut script = pause(before);
        if self.fails_first {
            let _ = write!(
                script,
                "if mkdir {marks}/{name} 2>/dev/null; then echo {name}.1 >>{lines}; exit 1; fi; "
            );
            let _ = write!(script, "echo {name}.2 >>{lines}; ");
        } else {
            let _ = write!(script, "echo {name} >>{lines}; ");
        }
        if self.names_the_next {
            script.push_str("echo 'name: 7'; ");
        }
        (script + &pause(after)).trim_end_matches("; ").to_owned()
    }
}

fn heading(name: &str) -> String {
    format!("runbook: {name}\ntitle: Lines of {name}\nrisk: disruptive\nsteps:\n")
}
