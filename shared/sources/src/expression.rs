//! `JMESPath`, bounded: the expression is the operator's, the data is whatever was sent.

use std::fmt;
use std::sync::LazyLock;

use jmespath::ast::Ast;
use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, ErrorReason, JmespathError, Rcvar, Runtime, Variable};
use serde_json::Value;

use crate::json::parse_json;

/// Longest expression, in characters.
pub const MAX_EXPRESSION_CHARS: usize = 1_024;
/// Most levels of the tree, by an upper bound: parser and interpreter recurse over it. In a debug build the interpreter
/// gets through 96 levels with 1 MiB of stack, half of what a thread has.
const MAX_LEVELS: usize = 80;
/// Most brackets and prefixes around one thing; the parser needs four frames for each.
const MAX_NESTING: usize = 24;
/// Most copies of its data an expression may make: `[@,@]|[@,@]|…` doubles with each step.
const MAX_COPIES: u64 = 256;
/// Largest step of a slice; the interpreter adds it to an index without a check.
const MAX_STEP: i32 = 10_000;
/// Most parts a text is split into.
const MAX_PARTS: usize = 1_000;

/// The functions of `JMESPath`, and three of ours, which give null for what they cannot read:
/// - `split(text, separators)`: the trimmed parts that are not empty; a list stays as it is;
/// - `lower(text)`;
/// - `from_json(text)`: what the text says as JSON; what is no text stays as it is.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    runtime.register_function("split", Box::new(function(vec![ArgumentType::Any, ArgumentType::String], split)));
    runtime.register_function("lower", Box::new(function(vec![ArgumentType::Any], lower)));
    runtime.register_function("from_json", Box::new(function(vec![ArgumentType::Any], from_json)));
    runtime
});

/// A compiled expression.
#[derive(Clone, PartialEq)]
pub struct Expression {
    text: String,
    ast: Ast,
}

/// A body, ready for being searched any number of times.
pub struct Alert(Rcvar);

/// Why an expression was refused. The expression is the operator's own and may be quoted to them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadExpression {
    /// More than [`MAX_EXPRESSION_CHARS`].
    #[error("is an expression of more than 1024 characters")]
    TooLong,
    /// Too many operators and brackets.
    #[error("is an expression of too many operators, or more than 24 brackets in each other")]
    TooDeep,
    /// It would multiply its data.
    #[error("is an expression that copies its data too often")]
    TooCostly,
    /// The parser's words, and where.
    #[error("is no JMESPath expression: at character {column}, {what}")]
    Syntax {
        /// From 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// A function nobody knows; it would fail on the first alert.
    #[error("calls the function `{0}`, which does not exist")]
    UnknownFunction(String),
    /// `&expression` where no function takes it, or a slice with an absurd step.
    #[error("uses {0} where it means nothing")]
    Misplaced(&'static str),
}

// === impl Alert ===

impl Alert {
    /// The body as `JMESPath` sees it. It is converted once; null if it cannot be.
    #[must_use]
    pub fn of(body: &Value) -> Self {
        Self(Rcvar::new(Variable::from_serializable(body).unwrap_or(Variable::Null)))
    }
}

// === impl Expression ===

impl Expression {
    /// Compiles an expression.
    pub fn compile(text: &str) -> Result<Self, BadExpression> {
        if text.len() > MAX_EXPRESSION_CHARS * 4 || text.chars().count() > MAX_EXPRESSION_CHARS {
            return Err(BadExpression::TooLong);
        }
        let (levels, nesting) = levels(text);
        if levels > MAX_LEVELS || nesting > MAX_NESTING {
            return Err(BadExpression::TooDeep);
        }
        let ast = jmespath::parse(text).map_err(|error| syntax(&error))?;
        let copies = copies(&ast)?;
        if copies > MAX_COPIES { Err(BadExpression::TooCostly) } else { Ok(Self { text: text.to_owned(), ast }) }
    }

    /// What the expression finds. One that fails on this data, say by joining what is no list, finds null.
    #[must_use]
    pub fn search(&self, alert: &Alert) -> Rcvar {
        let mut context = Context::new(&self.text, &RUNTIME);
        jmespath::interpret(&alert.0, &self.ast, &mut context).unwrap_or_else(|_| Rcvar::new(Variable::Null))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// An upper bound of the depth of the tree: what opens or joins something, outside of quotes; and how many brackets and
/// prefixes are open at most.
fn levels(text: &str) -> (usize, usize) {
    let mut quote = None;
    let mut escaped = false;
    let (mut count, mut open, mut deepest) = (0, 0_usize, 0);
    for c in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => {
                // `[]` and `[?…]` are a projection, and what is projected.
                count += usize::from(".[({!&|*<>=?:".contains(c)) + usize::from(c == '[');
                // A prefix is never closed: counting it for good errs on the safe side.
                open += usize::from("[({!".contains(c));
                open = open.saturating_sub(usize::from("])}".contains(c)));
                deepest = deepest.max(open);
            }
        }
    }
    (count, deepest)
}

/// How many times the expression may hold its data in its result, at most; and a look at what the parser lets pass.
fn copies(ast: &Ast) -> Result<u64, BadExpression> {
    let product = |a: &Ast, b: &Ast| Ok::<u64, BadExpression>(copies(a)?.saturating_mul(copies(b)?));
    let sum = |a: &Ast, b: &Ast| Ok::<u64, BadExpression>(copies(a)?.saturating_add(copies(b)?));
    match ast {
        Ast::Field { .. } | Ast::Identity { .. } | Ast::Index { .. } | Ast::Literal { .. } => Ok(1),
        Ast::Slice { step, .. } => {
            let is_fine = (-MAX_STEP..=MAX_STEP).contains(step) && *step != 0;
            is_fine.then_some(1).ok_or(BadExpression::Misplaced("a step of a slice"))
        }
        Ast::Subexpr { lhs, rhs, .. } | Ast::Projection { lhs, rhs, .. } => product(lhs, rhs),
        Ast::Or { lhs, rhs, .. } | Ast::And { lhs, rhs, .. } | Ast::Comparison { lhs, rhs, .. } => sum(lhs, rhs),
        Ast::Condition { predicate, then, .. } => sum(predicate, then),
        Ast::Not { node, .. } | Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } => copies(node),
        Ast::MultiList { elements, .. } => total(elements.iter()),
        Ast::MultiHash { elements, .. } => total(elements.iter().map(|pair| &pair.value)),
        Ast::Function { name, args, .. } => call(name, args),
        Ast::Expref { .. } => Err(BadExpression::Misplaced("`&`")),
    }
}

fn total<'a>(all: impl Iterator<Item = &'a Ast>) -> Result<u64, BadExpression> {
    all.map(copies).try_fold(1_u64, |sum, one| Ok(sum.saturating_add(one?)))
}

fn call(name: &str, args: &[Ast]) -> Result<u64, BadExpression> {
    if RUNTIME.get_function(name).is_none() {
        return Err(BadExpression::UnknownFunction(name.to_owned()));
    }
    let takes_expression = matches!(name, "map" | "max_by" | "min_by" | "sort_by");
    args.iter().try_fold(1_u64, |product, arg| {
        let one = match arg {
            Ast::Expref { ast, .. } if takes_expression => copies(ast)?,
            other => copies(other)?,
        };
        // Functions of many arguments, such as `not_null`, give one of them back or join them.
        Ok(if takes_expression { product.saturating_mul(one) } else { product.saturating_add(one) })
    })
}

fn syntax(error: &JmespathError) -> BadExpression {
    let what = match &error.reason {
        ErrorReason::Parse(what) => what.clone(),
        ErrorReason::Runtime(what) => what.to_string(),
    };
    let what = what.split(" -- found").next().unwrap_or_default().chars().take(120).collect();
    BadExpression::Syntax { column: error.column + 1, what }
}

/// A function of ours; it gives null for what it cannot read.
fn function(inputs: Vec<ArgumentType>, function: fn(&[Rcvar]) -> Option<Variable>) -> CustomFunction {
    let call = move |args: &[Rcvar], _: &mut Context<'_>| Ok(Rcvar::new(function(args).unwrap_or(Variable::Null)));
    CustomFunction::new(Signature::new(inputs, None), Box::new(call))
}

fn split(args: &[Rcvar]) -> Option<Variable> {
    let [text, separators] = args else { return None };
    let Some(text) = text.as_string() else { return text.as_array().cloned().map(Variable::Array) };
    let separators = separators.as_string()?;
    let parts = text.split(|c| separators.contains(c)).map(str::trim).filter(|part| !part.is_empty());
    let parts = parts.take(MAX_PARTS).map(|part| Rcvar::new(Variable::String(part.to_owned())));
    Some(Variable::Array(parts.collect()))
}

fn lower(args: &[Rcvar]) -> Option<Variable> {
    args.first()?.as_string().map(|text| Variable::String(text.to_lowercase()))
}

fn from_json(args: &[Rcvar]) -> Option<Variable> {
    let arg = args.first()?;
    let Some(text) = arg.as_string() else { return Some(Variable::clone(arg)) };
    Variable::from_serializable(parse_json(text.as_bytes()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn find(text: &str, body: &Value) -> Value {
        serde_json::to_value(&*Expression::compile(text).unwrap().search(&Alert::of(body))).unwrap()
    }

    #[test]
    fn finds_and_computes() {
        let body = json!({"a": {"b c": [1, 2]}, "users": "ann, bob;;carl", "more": "{\"@usr.id\":\"Dan\"}", "n": null});
        assert_eq!(find(r#"a."b c"[-1]"#, &body), json!(2));
        assert_eq!(find("split(users, ',;')", &body), json!(["ann", "bob", "carl"]));
        assert_eq!(find(r#"lower(from_json(more)."@usr.id")"#, &body), json!("dan"));
        assert_eq!(find("from_json(users)", &body), json!(null));
        assert_eq!(find("join('-', n)", &body), json!(null), "an expression that fails finds nothing");
        assert_eq!(find("split(n, ',') || 'x'", &body), json!("x"));
        assert_eq!(find("split(a.\"b c\", ',')", &body), json!([1, 2]), "what is a list already");
        assert_eq!(find("from_json(a)", &body), body["a"]);
    }

    #[test]
    fn refuses_what_does_not_compile_or_costs_too_much() {
        let compile = |text: &str| Expression::compile(text).map(drop);
        assert_eq!(compile(&"a".repeat(1_025)), Err(BadExpression::TooLong));
        assert_eq!(compile("users[*].nome(@)"), Err(BadExpression::UnknownFunction("nome".into())));
        for deep in [".a", "[0]", "[*]", ".*", "|a", "||a"] {
            let text = format!("a{}", deep.repeat(129));
            assert_eq!(compile(&text), Err(BadExpression::TooDeep), "{deep}");
        }
        for deep in ["!", "(", "[", "{a:", "[?"] {
            assert_eq!(compile(&deep.repeat(200)), Err(BadExpression::TooDeep), "{deep}");
        }
        assert_eq!(compile(&["[@,@]"; 20].join("|")), Err(BadExpression::TooCostly));
        assert_eq!(compile(&"[@,@]".repeat(2).replace("][", "][] | [")), Ok(()));
        assert_eq!(compile("[1::2147483647]"), Err(BadExpression::Misplaced("a step of a slice")));
        assert_eq!(compile("[::0]"), Err(BadExpression::Misplaced("a step of a slice")));
        assert_eq!(compile("to_array(&a)"), Err(BadExpression::Misplaced("`&`")));
        let Err(BadExpression::Syntax { column, .. }) = compile("a.b.[") else { panic!() };
        assert_eq!(column, 6);
        assert!(compile("").is_err());
    }

    #[test]
    fn the_deepest_expressions_do_not_run_out_of_stack() {
        let run = || {
            let body = (0..15).fold(json!(1), |inner, _| json!({"a": [inner]}));
            for text in [
                format!("a{}", ".a".repeat(80)),
                format!("{}a{}", "(".repeat(24), ")".repeat(24)),
                format!("{}a", "!".repeat(24)),
                format!("a{}", "[]".repeat(40)),
                format!("a{}", ".*".repeat(40)),
                format!("a{}", "[*]".repeat(26)),
                format!("{}a{}", "[".repeat(24), "]".repeat(24)),
                format!("{}a{}", "{a:[".repeat(12), "]}".repeat(12)),
                format!("{}a{}", "not_null(".repeat(24), ")".repeat(24)),
                format!("{}a{}{}", "a[?".repeat(12), "]".repeat(12), "|a".repeat(44)),
            ] {
                let expression = Expression::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                let _ = expression.search(&Alert::of(&body));
            }
        };
        // Half of what a thread has.
        std::thread::Builder::new().stack_size(1024 * 1024).spawn(run).unwrap().join().unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_text_makes_it_panic(text in r#"([\[\]{}()*?.,:|&!<>=@`'"\\ -]|a|b|[0-9]{1,10}|map|to_string|sort_by|length|join|reverse|avg|min|keys|merge|split){0,24}"#) {
            let body = json!({"a": [1, "x", [2, -3.5], {"b": null}], "b": {"a": "text", "b": [true]}});
            if let Ok(expression) = Expression::compile(&text) {
                let _ = serde_json::to_string(&*expression.search(&Alert::of(&body)));
                let _ = expression.search(&Alert::of(&json!([3, 1, 2])));
            }
        }

        #[test]
        fn arbitrary_text_does_not_make_it_panic(text in ".{0,80}") {
            let _ = Expression::compile(&text);
        }
    }
}
