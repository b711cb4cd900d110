//! From method and path to what is asked for (RFC 7644 section 3.2).

use revocation_edge::Request;

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// There.
    Known(Verb<'a>),
    /// The path is known, the method is not one of these.
    NotAllowed(&'static str),
    /// The RFC has it, this provider does not.
    NotSupported,
    /// Nowhere.
    Unknown,
}

/// What is asked for; resources by their id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb<'a> {
    Discover(Discovery<'a>),
    /// Of users and groups.
    Search,
    ListUsers,
    SearchUsers,
    GetUser(&'a str),
    CreateUser,
    ReplaceUser(&'a str),
    PatchUser(&'a str),
    DeleteUser(&'a str),
    ListGroups,
    SearchGroups,
    GetGroup(&'a str),
    CreateGroup,
    ReplaceGroup(&'a str),
    PatchGroup(&'a str),
    DeleteGroup(&'a str),
}

/// What can be asked about the provider itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discovery<'a> {
    Config,
    ResourceTypes,
    ResourceType(&'a str),
    Schemas,
    Schema(&'a str),
}

const GET: &str = "GET";
const POST: &str = "POST";
const GET_POST: &str = "GET, POST";
const RESOURCE: &str = "GET, PUT, PATCH, DELETE";

// === impl Route ===

impl<'a> Route<'a> {
    /// Where this request goes.
    pub(crate) fn of(request: &'a Request) -> Self {
        let segments = request.segments();
        let Some(path) = segments.strip_prefix(&["scim", "v2"]) else { return Self::Unknown };
        let method = request.method.as_str();
        match *path {
            ["ServiceProviderConfig"] => Self::discovery(method, Discovery::Config),
            ["ResourceTypes"] => Self::discovery(method, Discovery::ResourceTypes),
            ["ResourceTypes", id] => Self::discovery(method, Discovery::ResourceType(id)),
            ["Schemas"] => Self::discovery(method, Discovery::Schemas),
            ["Schemas", id] => Self::discovery(method, Discovery::Schema(id)),
            ["Users"] => Self::one_of(method, GET_POST, &[(GET, Verb::ListUsers), (POST, Verb::CreateUser)]),
            ["Users", ".search"] => Self::one_of(method, POST, &[(POST, Verb::SearchUsers)]),
            ["Users", id] => Self::resource(
                method,
                [Verb::GetUser(id), Verb::ReplaceUser(id), Verb::PatchUser(id), Verb::DeleteUser(id)],
            ),
            ["Groups"] => Self::one_of(method, GET_POST, &[(GET, Verb::ListGroups), (POST, Verb::CreateGroup)]),
            ["Groups", ".search"] => Self::one_of(method, POST, &[(POST, Verb::SearchGroups)]),
            ["Groups", id] => Self::resource(
                method,
                [Verb::GetGroup(id), Verb::ReplaceGroup(id), Verb::PatchGroup(id), Verb::DeleteGroup(id)],
            ),
            [".search"] => Self::one_of(method, POST, &[(POST, Verb::Search)]),
            // RFC 7644 sections 3.7, 3.11.
            ["Bulk" | "Me"] => Self::NotSupported,
            _ => Self::Unknown,
        }
    }

    fn discovery(method: &str, what: Discovery<'a>) -> Self {
        Self::one_of(method, GET, &[(GET, Verb::Discover(what))])
    }

    fn resource(method: &str, [get, put, patch, delete]: [Verb<'a>; 4]) -> Self {
        Self::one_of(method, RESOURCE, &[(GET, get), ("PUT", put), ("PATCH", patch), ("DELETE", delete)])
    }

    fn one_of(method: &str, allow: &'static str, verbs: &[(&str, Verb<'a>)]) -> Self {
        let found = verbs.iter().find(|(name, _)| *name == method);
        found.map_or(Self::NotAllowed(allow), |(_, verb)| Self::Known(*verb))
    }
}

// === impl Verb ===

impl Verb<'_> {
    /// Its name in logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Discover(_) => "discover",
            Self::Search => "search",
            Self::ListUsers => "list_users",
            Self::SearchUsers => "search_users",
            Self::GetUser(_) => "get_user",
            Self::CreateUser => "create_user",
            Self::ReplaceUser(_) => "replace_user",
            Self::PatchUser(_) => "patch_user",
            Self::DeleteUser(_) => "delete_user",
            Self::ListGroups => "list_groups",
            Self::SearchGroups => "search_groups",
            Self::GetGroup(_) => "get_group",
            Self::CreateGroup => "create_group",
            Self::ReplaceGroup(_) => "replace_group",
            Self::PatchGroup(_) => "patch_group",
            Self::DeleteGroup(_) => "delete_group",
        }
    }
}
