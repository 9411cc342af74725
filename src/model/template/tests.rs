use serde_json::json;

use super::*;

fn scope() -> Scope {
    let value = json!({
        "service": {
            "name": "argus", "host": "app", "cache": null,
            "instances": [{ "name": "argus-1", "port": 3001 }, { "name": "argus-2", "port": 3002 }],
        },
        "version": "1.10", "count": 3, "force": true, "limits": { "cpu": 2 },
    });
    let Value::Object(scope) = value else { unreachable!() };
    scope
}

#[test]
fn one_expression_alone_keeps_its_type() {
    for (text, expected) in [
        ("{{ count }}", json!(3)),
        ("{{ count + 1 }}", json!(4)),
        ("{{force}}", json!(true)),
        ("{{- version -}}", json!("1.10")),
        ("{{ service.cache }}", json!(null)),
        ("{{ limits }}", json!({ "cpu": 2 })),
        ("{{ service.instances | map(attribute='port') | list }}", json!([3001, 3002])),
        ("{{ count }}{{ count }}", json!("33")),
        ("v{{ version }}, {{ force }}", json!("v1.10, true")),
        ("plain", json!("plain")),
        ("-{{ 'a' if not force }}-", json!("--")),
    ] {
        assert_eq!(render(text, &scope()), Ok(expected), "{text}");
    }
}

#[test]
fn an_object_of_the_inventory_stands_for_its_name() {
    assert_eq!(render("{{ service }}", &scope()), Ok(json!("argus")));
    assert_eq!(render("all of {{ service }}", &scope()), Ok(json!("all of argus")));
    assert_eq!(render("{{ service.instances }}", &scope()), Ok(json!(["argus-1", "argus-2"])));
    assert_eq!(render("now {{ service.instances }}", &scope()), Ok(json!("now argus-1, argus-2")));
    assert_eq!(render("{{ service.instances | join('+') }}", &scope()), Ok(json!("argus-1+argus-2")));
    assert_eq!(
        evaluate("{{ service.instances[1] }}", &scope()),
        Ok(json!({ "name": "argus-2", "port": 3002 }))
    );
}

#[test]
fn everything_in_a_value_is_filled_in_but_its_keys() {
    let value = json!({ "{{ count }}": ["{{ count }}", { "x": "{{ version }}!" }], "n": 1, "z": null });
    let filled = json!({ "{{ count }}": [3, { "x": "1.10!" }], "n": 1, "z": null });
    assert_eq!(render_value(&value, &scope()), Ok(filled));
}

#[test]
fn an_undefined_name_is_an_error_that_names_it() {
    for (text, expected) in [
        ("{{ sevice }}", "there is no `sevice` here, only `count`, `force`, `limits`, `service`, `version`"),
        (
            "x {{ sevice }}",
            "there is no `sevice` here, only `count`, `force`, `limits`, `service`, `version`",
        ),
        ("{{ limits.memory }}", "`limits` has no `memory`, only `cpu`"),
        ("x {{ limits.memory }}", "`limits` has no `memory`, only `cpu`"),
        ("{{ limits.memory.max }}", "`limits` has no `memory`, only `cpu`"),
        ("{{ service.cache.host }}", "`service.cache` is null, so there is no `service.cache.host`"),
        ("{{ count.x }}", "`count` has no fields, so there is no `count.x`"),
        ("{{ limits.memory == 1 }}", "`limits` has no `memory`, only `cpu`"),
        ("{% if limits.memory %}x{% endif %}", "`limits` has no `memory`, only `cpu`"),
        ("{{ service.instances[7] }}", "`service.instances[7]` gives nothing"),
        ("on {{ service.cache }}", "`service.cache` is null here: there is nothing to print"),
        ("on {{ limits }}", "`limits` is an object without a name: print one of its fields"),
    ] {
        assert_eq!(render(text, &scope()), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_malformed_template_is_shown_with_what_is_wrong() {
    for text in ["{{ count", "{{ count | nofilter }} x", "{{ 1 + }}", "{% if %}", "{{ 'a' | safe }} x"] {
        let told = render(text, &scope()).unwrap_err();
        assert!(told.starts_with('`') && told.contains(": "), "{told}");
    }
}

#[test]
fn conditions_are_strict_and_know_true_from_false() {
    for (condition, expected) in [
        ("count == 3 and service.name == 'argus'", true),
        ("service.cache", false),
        ("not service.cache", true),
        ("service.instances | length > 2", false),
        ("service.cache and service.cache.host == 'app'", false),
        ("version in ['1.9', '1.10']", true),
        ("nothing is defined", false),
        ("count - 3", false),
    ] {
        assert_eq!(holds(condition, &scope()), Ok(expected), "{condition}");
    }
    assert!(holds("statsu == 200", &scope()).unwrap_err().starts_with("there is no `statsu` here"));
    assert!(holds("statsu", &scope()).unwrap_err().starts_with("there is no `statsu` here"));
    assert!(holds("{{ force }}", &scope()).unwrap_err().contains("leave out the braces"));
    assert!(holds("count ==", &scope()).unwrap_err().starts_with("`count ==` cannot be read"));
}

#[test]
fn a_value_in_a_condition_becomes_a_literal() {
    let mut scope = scope();
    scope.insert("evil".to_owned(), json!("\" or true or \""));
    let condition = render_condition("json.version == {{ version }} and n < {{ count }}", &scope);
    assert_eq!(condition, Ok("json.version == \"1.10\" and n < 3".to_owned()));
    let condition = render_condition("json.version == {{ evil }}", &scope).unwrap();
    let Value::Object(result) = json!({ "json": { "version": "x" } }) else { unreachable!() };
    assert_eq!(holds(&condition, &result), Ok(false));
    assert!(render_condition("json.version == '{{ version }}'", &scope).unwrap_err().contains("quotes"));
}

#[test]
fn the_names_that_a_template_uses_are_known_before_it_is_filled_in() {
    assert!(uses("x {{ outputs.look.image }}", "outputs"));
    assert!(uses("{% for x in outputs %}{% endfor %}", "outputs"));
    assert!(uses("{{ outputs['look'] }}", "outputs"));
    assert!(!uses("outputs {{ outputs_of }}", "outputs"));
    assert!(!uses("{% set outputs = 1 %}{{ outputs }}", "outputs"));
    assert!(condition_uses("outputs.look.n > 2", "outputs"));
    assert!(!condition_uses("look.outputs > 2", "outputs"));
    assert!(value_uses(&json!({ "a": ["{{ outputs.x.y }}"] }), "outputs"));
    let found = names("{{ service.host }} {{ version }}").unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["service.host", "version"]);
}

const NASTY: [&str; 12] = [
    "",
    "two words",
    "it's",
    "$(touch /nowhere) `id` $HOME \"x\" \\",
    "a;b|c&d>e<f",
    "*?[a-z]~",
    "line\nbreak\ttab",
    "#no comment",
    "-n",
    "'\"'\"'",
    "{{ count }}",
    "päss ☃",
];

fn said_by_shell(line: &str) -> String {
    let output = std::process::Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_value_in_a_shell_line_is_one_word_whatever_it_holds() {
    for nasty in NASTY {
        let mut scope = scope();
        scope.insert("value".to_owned(), json!(nasty));
        for (template, expected) in [
            ("printf '<%s>' {{ value }}", format!("<{nasty}>")),
            ("printf '<%s>' a{{ value }}b{{ value }}", format!("<a{nasty}b{nasty}>")),
            ("printf '<%s>' \"$(printf '%s.' {{ value }})\" # it's said", format!("<{nasty}.>")),
            ("x={{ value }}; (printf '<%s>' \"$x\" 'x\\')", format!("<{nasty}><x\\>")),
            (
                "printf '<%s>' {{ value ~ '' }} {{ (value | upper) }}",
                format!("<{nasty}><{}>", nasty.to_uppercase()),
            ),
            ("{% set y %}{{ 1 }}{% endset %}printf '<%s>' {{ value }}", format!("<{nasty}>")),
        ] {
            let line = render_shell(template, &scope).unwrap();
            assert_eq!(said_by_shell(&line), expected, "{line}");
        }
    }
}

#[test]
fn a_value_is_refused_where_quoting_would_not_hold_it() {
    for line in [
        "echo \"{{ version }}\"",
        "echo '{{ version }}'",
        "echo \"$(echo \"{{ version }}\")\"",
        "echo `echo {{ version }}`",
        "echo `echo $(echo {{ version }})`",
        "echo # {{ version }}",
        "echo ${x:-{{ version }}}",
        "echo ${{ version }}",
        "echo \\{{ version }}",
        "echo \"${x:-'}\" {{ version }}",
        "echo $'it\\'s' {{ version }}",
        "echo \"$(case x in x) echo \"{{ version }}\";; esac)\"",
        "cat <<X\n{{ version }}\nX",
        "echo {{ service.instances }}",
        "echo {{ service.cache }}",
    ] {
        assert!(render_shell(line, &scope()).is_err(), "{line}");
    }
}

#[test]
fn raw_puts_a_value_in_as_it_is_and_what_is_made_from_it_is_quoted_again() {
    let mut scope = scope();
    scope.insert("value".to_owned(), json!("a b"));
    assert_eq!(render_shell("echo {{ value | raw }}", &scope), Ok("echo a b".to_owned()));
    assert_eq!(render_shell("echo '{{ value | raw }}'", &scope), Ok("echo 'a b'".to_owned()));
    assert_eq!(render_shell("echo {{ (value | raw) ~ ' c' }}", &scope), Ok("echo 'a b c'".to_owned()));
    assert_eq!(render_shell("echo {{ force }} {{ count }}", &scope), Ok("echo true 3".to_owned()));
}
